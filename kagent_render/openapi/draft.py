"""An operation on its way to a Tool, and what the user said of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kagent_render.openapi.places import NotExpressibleError, Place
from kagent_render.openapi.texts import argument_name


@dataclass(frozen=True, slots=True)
class Options:
    """What the document does not say: where the server is, whose Secret it is, and which operations are wanted."""

    base_url: str | None = None
    secret: str | None = None
    username: str | None = None
    operations: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """The request as far as it is known. `title` is what messages call the operation."""

    place: Place
    item: Place
    title: str
    method: str
    path: str
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: list[dict[str, Any]] = field(default_factory=list)
    body: dict[str, Any] | None = None
    auth: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    has_failed: bool = False

    def declare(self, name: str, parameter: dict[str, Any], prefix: str = "") -> str:
        """Add an argument; the placeholder that stands for it."""
        taken = argument_name(name, ()) in self.arguments
        found = argument_name(f"{prefix}{name}" if taken and prefix else name, self.arguments)
        self.arguments[found] = parameter
        return f"{{{found}}}"

    def fail(self, error: NotExpressibleError) -> None:
        """Say why there will be no Tool."""
        self.has_failed = True
        is_reference = error.place.location[-1:] == ("$ref",)
        error.place.fail(f"`{self.title}`: {error.message}", error.help, "KR704" if is_reference else "KR701")
