"""Files that a spec names: read relative to the YAML file that names them, and never from outside the given folders.

Whoever may change a spec must not get at the renderer's own files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.source.discover import MAX_TOTAL_BYTES, SourceFile, read_regular
from kagent_render.source.document import has_hidden

MAX_NAMED_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Form:
    """What files of one use are called, and how their names end."""

    noun: str
    plural: str
    suffixes: tuple[str, ...]


class NamedFiles:
    """Reads the files of one form. `paths` are those of the command line."""

    def __init__(self, form: Form, paths: Sequence[str], diagnostics: Diagnostics) -> None:
        self._form = form
        self._diagnostics = diagnostics
        self._roots = [_root(Path(given)) for given in paths]
        self._left = MAX_TOTAL_BYTES
        self.files: dict[str, SourceFile] = {}

    def read(self, name: str, span: Span) -> SourceFile | None:
        """The file that is named at `span`; None for one that cannot be used, which is reported."""
        try:
            path = self._inside(name, Path(span.path).parent)
            shown = Path(os.path.normpath(Path(span.path).parent / name)).as_posix()
            if shown not in self.files:
                file = SourceFile(shown, self._read(name, path, span))
                if has_hidden(file, self._diagnostics, "remove it"):
                    return None
                self.files[shown] = file
        except _Refused as refused:
            self._diagnostics.add(refused.code, str(refused), span, help=refused.help)
            return None
        return self.files[shown]

    def _inside(self, name: str, folder: Path) -> Path:
        if not name.endswith(self._form.suffixes):
            help = f"name a {' or '.join(self._form.suffixes)} file"
            raise _Refused("KR340", f"`{name}` is not a {self._form.noun}", help)
        try:
            path = (folder / name).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the name
            raise _Refused("KR340", f"`{name}` is not a path that can be followed") from None
        if Path(name).is_absolute() or not any(path.is_relative_to(root) for root in self._roots):
            help = "move it below the folder that is compiled, and name it relative to this file"
            raise _Refused("KR341", f"`{name}` leads outside the folders that are compiled", help)
        return path

    def _read(self, name: str, path: Path, span: Span) -> str:
        what = f"the {self._form.noun} `{name}`"
        try:
            raw = read_regular(path, MAX_NAMED_BYTES)
        except FileNotFoundError:
            help = f"the path is relative to {Path(span.path).name}"
            raise _Refused("KR340", f"{what} does not exist", help) from None
        except OSError as error:
            raise _Refused("KR340", f"{what} cannot be read: {error.strerror}") from None
        if raw is None:
            raise _Refused("KR340", f"`{name}` is not a regular file")
        self._left -= len(raw)
        if len(raw) > MAX_NAMED_BYTES or self._left < 0:
            together = f"10 MiB together with the other {self._form.plural}"
            size = "256 KiB" if len(raw) > MAX_NAMED_BYTES else together
            raise _Refused("KR340", f"{what} is larger than {size}", "shorten it")
        return _decoded(what, raw)


class _Refused(Exception):
    """A file that is not read; reported at the field that names it."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.help = code, help


def _decoded(what: str, raw: bytes) -> str:
    try:
        # One form of line ends: Git may check a file out with others on another machine, and to Python a carriage
        # return alone ends a line too, although no reviewer sees it.
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _Refused("KR340", f"{what} is not UTF-8 (line {line})") from None
    if not text.strip():
        raise _Refused("KR340", f"{what} is empty")
    return text


def _root(given: Path) -> Path:
    return (given if given.is_dir() else given.parent).resolve()
