"""Names and descriptions: in the form that models and Kubernetes accept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from kagent_render.openapi.places import Place
from kagent_render.specs.secrets import has_secret

MAX_NAME = 63
MAX_TEXT = 1024  # what providers take as the description of a tool
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_NAME = re.compile(r"[^a-z0-9]+")
_NOT_WORD = re.compile(r"[^A-Za-z0-9_-]+")


def tool_name(text: str, taken: Iterable[str]) -> str:
    """The name of a Tool: listPets becomes list-pets, and a second one list-pets-2."""
    plain = _NOT_NAME.sub("-", _HUMP.sub("-", text).lower()).strip("-") or "operation"
    name = plain if plain[0].isalpha() else f"op-{plain}"
    return _unique(name[:MAX_NAME].rstrip("-"), set(taken), "-", MAX_NAME)


def argument_name(text: str, taken: Iterable[str]) -> str:
    """The name of an argument, as near to the parameter's as models accept."""
    plain = _NOT_WORD.sub("_", text).strip("_-") or "value"
    name = plain if plain[0].isalpha() or plain[0] == "_" else f"_{plain}"
    return _unique(name[:MAX_NAME], set(taken), "_", MAX_NAME)


def _unique(name: str, taken: set[str], mark: str, longest: int) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        end = f"{mark}{number}"
        found = name[: longest - len(end)].rstrip(mark) + end
    return found


def text_of(place: Place, *names: str) -> str:
    """What the fields say, in one text; without what has the form of a credential."""
    found: list[str] = []
    for name in names:
        value = place.value(name, str)
        text = " ".join(value.split()) if value else ""
        if has_secret(text):
            place.warn(f"`{name}` is left out: it holds what looks like a credential")
        elif text and text not in found:
            found.append(text)
    return " ".join(item if item[-1] in ".!?:" or item is found[-1] else f"{item}." for item in found)


def described(text: str, notes: Sequence[str]) -> str:
    """A description, with what else there is to know of the value."""
    return f"{cut(text)} ({'; '.join(notes)})" if notes else cut(text)


def cut(text: str, longest: int = MAX_TEXT) -> str:
    """The text, at most as long as a provider takes it."""
    return text if len(text) <= longest else text[: longest - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def sentence(value: Any) -> str:
    """A value in a message: short, and no list in full."""
    shown = str(value)
    return f"`{shown[:40]}`" if not isinstance(value, (dict, list)) and shown else "of another form"
