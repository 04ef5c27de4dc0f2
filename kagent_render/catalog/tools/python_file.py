"""A Python file as a syntax tree. It is parsed, and nothing of it is ever imported or run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from kagent_render.catalog.base import Problem
from kagent_render.diagnostics import Span
from kagent_render.source import SourceFile

Function = ast.FunctionDef | ast.AsyncFunctionDef
# PEP 263: in one of the first two lines.
_COOKIE = re.compile(r"[ \t]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_UTF8 = re.compile(r"utf-?8(-.*)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The tree of a file, and what its top level binds: of every name the statements that do, in order."""

    file: SourceFile
    tree: ast.Module
    bindings: dict[str, list[ast.stmt]]

    def span_of(self, node: ast.expr | ast.stmt | ast.arg) -> Span:
        """The place of a node; its columns are characters, those of `ast` are bytes."""
        line = self.file.text.split("\n")[node.lineno - 1].encode()
        start = len(line[: node.col_offset].decode("utf-8", "replace")) + 1
        if isinstance(node, ast.stmt):
            return Span(self.file.path, node.lineno, start, start + 1)
        end = node.end_col_offset if node.end_lineno == node.lineno else None
        return Span(self.file.path, node.lineno, start, len(line[:end].decode("utf-8", "replace")) + 1)

    def functions(self) -> dict[str, Function]:
        """The functions that the top level defines, and does not bind to something else later."""
        last = {name: statements[-1] for name, statements in self.bindings.items()}
        return {name: item for name, item in last.items() if isinstance(item, Function)}

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """The modules that it imports anywhere, by their first name; a relative one by its dots."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node, "." * node.level or (node.module or "").partition(".")[0]


def stem(file: SourceFile) -> str:
    """The name that the file has as a module."""
    return PurePosixPath(file.path).stem


@lru_cache(maxsize=256)
def parse(file: SourceFile) -> ParsedFile | Problem:
    """The tree of a file, or why there is none."""
    if cookie := _foreign_encoding(file):
        return cookie
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python will refuse one day
            tree = ast.parse(file.text)
    except (RecursionError, MemoryError):
        return Problem("KR380", "the file is nested too deep to be read", span=Span(file.path, 1, 1))
    except SyntaxError as error:
        return Problem("KR380", f"not Python: {error.msg}", span=_span_in(file, error.lineno, error.offset))
    except ValueError as error:
        return Problem("KR380", f"not Python: {error}", span=Span(file.path, 1, 1))
    return ParsedFile(file, tree, _bindings(tree))


def _foreign_encoding(file: SourceFile) -> Problem | None:
    """Python would read other characters than those that were reviewed, and scanned for credentials."""
    for number, line in enumerate(file.text.split("\n")[:2], 1):
        match = _COOKIE.match(line)
        if match and not _UTF8.match(match[1].lower().replace("_", "-")):
            span = Span(file.path, number, match.start(1) + 1, match.end(1) + 1)
            message = f"the file says that it is {match[1]}, and it is read as UTF-8"
            return Problem("KR380", message, (), "remove it", span)
    return None


def _span_in(file: SourceFile, line: int | None, column: int | None) -> Span:
    """The place of a syntax error, which Python may put behind the end of the file."""
    lines = file.text.split("\n")
    number = min(max(line or 1, 1), len(lines))
    return Span(file.path, number, min(max(column or 1, 1), len(lines[number - 1]) + 1))


def _bindings(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    found: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _bound(statement):
            found.setdefault(name, []).append(statement)
    return found


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, Function | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in statement.names)
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Delete):
        targets = [statement.target] if isinstance(statement, ast.AnnAssign | ast.AugAssign) else statement.targets
        yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
