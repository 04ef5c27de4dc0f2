"""Answers of servers as text for a model: decoded, printable, and cut with a note that says so."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from kagent_runtime.components.egress import Answer

MAX_PREVIEW = 16_384
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BINARY = ("image/", "audio/", "video/", "font/", "application/octet-stream", "application/zip", "application/pdf")


def content_type(answer: Answer) -> str:
    """The media type, without parameters."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def decoded(answer: Answer) -> str:
    """The body as text; of a body that is none, what it is instead."""
    kind = content_type(answer)
    if kind.startswith(_BINARY) or b"\x00" in answer.body[:1024]:
        return f"[{len(answer.body):,} bytes of {kind or 'binary data'}, not shown]"
    charset = _CHARSET.search(answer.headers.get("content-type", ""))
    try:
        text = answer.body.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError:
        text = answer.body.decode("utf-8", "replace")
    return printable(text)


def printable(text: str) -> str:
    """The text without control characters, which neither a model nor a database can use."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def visible(text: str) -> str:
    """Printable, with what has no shape written out: bidirectional controls make a text read otherwise than it is."""
    text = printable(text)
    return text if text.isascii() else "".join(map(_seen, text))


def _seen(char: str) -> str:
    return f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in ("Cf", "Cc") and char not in "\n\t" else char


def bounded(preview: str, limit: int = MAX_PREVIEW) -> str:
    """A preview that a person can be shown. Its end stands for all of it: two that differ anywhere differ here."""
    if len(preview) <= limit:
        return preview
    digest = sha256(preview.encode()).hexdigest()
    left_out = len(preview) - limit
    return f"{preview[:limit]}\n[{left_out:,} more characters are not shown; sha256 of the whole: {digest}]"


def head(text: str, limit: int, *, was_cut: bool = False) -> str:
    """The first bytes of a text, with a note if there are more."""
    raw = text.encode()
    if len(raw) <= limit and not was_cut:
        return text
    shown = raw[:limit].decode("utf-8", "ignore")
    return f"{shown}\n\n[… cut after {len(shown.encode()):,} bytes; narrow the request to see the rest …]"


def tail(text: str, limit: int, *, was_cut: bool = False) -> str:
    """The last bytes of a text, from the start of a line, with a note if there are more."""
    raw = text.encode()
    if len(raw) <= limit and not was_cut:
        return text
    shown = raw[-limit:].decode("utf-8", "ignore")
    first, newline, rest = shown.partition("\n")
    return f"[… only the end is shown …]\n{rest if newline else first}"


def one_line(text: str, limit: int = 300) -> str:
    """A text in one line, cut if it is long."""
    joined = " ".join(text.split())
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in aligned columns, as kubectl prints them."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join("   ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def limited(lines: Iterable[str], limit: int, what: str) -> list[str]:
    """The first lines, and a note of how many more there are."""
    found = list(lines)
    more = len(found) - limit
    return found if more <= 0 else [*found[:limit], f"[… {more:,} more {what}; narrow the request …]"]


def stamp(seconds: float) -> str:
    """RFC 3339 in UTC, without fractions."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
