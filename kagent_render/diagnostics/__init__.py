"""Diagnostics: defects as data, with codes, places and help."""

from kagent_render.diagnostics.codes import BY_NAME, CODES, Code
from kagent_render.diagnostics.collector import Diagnostics
from kagent_render.diagnostics.model import Diagnostic, Label, Severity, Span
from kagent_render.diagnostics.suggest import did_you_mean, nearest

__all__ = [
    "BY_NAME",
    "CODES",
    "Code",
    "Diagnostic",
    "Diagnostics",
    "Label",
    "Severity",
    "Span",
    "did_you_mean",
    "nearest",
]
