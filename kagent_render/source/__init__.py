"""Paths to files to documents, each value with its line and column."""

from kagent_render.source.discover import SourceFile, discover
from kagent_render.source.document import Document, Node, read_documents

__all__ = ["Document", "Node", "SourceFile", "discover", "read_documents"]
