"""How wide a text is at most. No font is loaded: the widths are of DejaVu Sans, the widest of the usual sans serifs."""

from __future__ import annotations

import unicodedata

_BY_WIDTH = {
    0.32: "ijl,. ",
    0.4: "ft:/-;!|'()[]I",
    0.46: 'r"',
    0.54: "sz_",
    0.62: "acekvxyFJL",
    0.66: "bdghnopquABCEPSTXYZKRV0123456789?$#*",
    0.8: "DGHNOQUw~+=<>^",
    1.0: "mMW@%&…",
}
_WIDTHS = {char: width for width, chars in _BY_WIDTH.items() for char in chars}
_BOLD = 1.12
ELLIPSIS = "…"


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width in pixels that a text takes at most."""
    return sum(map(_em, text)) * size * (_BOLD if bold else 1.0)


def _em(char: str) -> float:
    if char in _WIDTHS:
        return _WIDTHS[char]
    if unicodedata.combining(char):
        return 0.0
    return 0.9 if unicodedata.east_asian_width(char) in "NaHA" and ord(char) < 0x2000 else 1.4


def shorten(text: str, width: float, size: float, bold: bool = False) -> str:
    """The text, cut with an ellipsis where it would be wider than `width`."""
    if text_width(text, size, bold) <= width:
        return text
    kept = text
    while kept and text_width(kept + ELLIPSIS, size, bold) > width:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def wrap(text: str, width: float, size: float, most: int) -> list[str]:
    """The text on at most `most` lines, the last one cut where there is more."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most:
        count = 1
        while count < len(words) and text_width(" ".join(words[: count + 1]), size) <= width:
            count += 1
        is_last = len(lines) == most - 1
        lines.append(shorten(" ".join(words if is_last else words[:count]), width, size))
        words = words[count:]
    return lines
