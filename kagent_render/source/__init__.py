"""Paths to files to documents, each value with its line and column."""

from kagent_render.source.discover import SourceFile, discover, discover_environment
from kagent_render.source.document import Document, Node, PythonFiles, read_documents
from kagent_render.source.image_lock import ImageLock, read_lock
from kagent_render.source.overlay import apply_overlays
from kagent_render.source.prompts import read_prompts
from kagent_render.source.python_files import read_python_files
from kagent_render.source.settings import read_settings
from kagent_render.source.tool_lock import ToolLock, read_tool_lock

__all__ = [
    "Document",
    "ImageLock",
    "Node",
    "PythonFiles",
    "SourceFile",
    "ToolLock",
    "apply_overlays",
    "discover",
    "discover_environment",
    "read_documents",
    "read_lock",
    "read_prompts",
    "read_python_files",
    "read_settings",
    "read_tool_lock",
]
