"""Texts from outside, as both databases store them."""

from __future__ import annotations


def storable(text: str) -> str:
    """Without what PostgreSQL refuses: NUL, and halves of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
