"""A resource of kagent's, read so that no field is lost: what no converter has taken is reported in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kagent_render.diagnostics import Diagnostics, did_you_mean
from kagent_render.source import Document

Location = tuple[int | str, ...]
# Written by the API server or by a client, never meant for Git.
_SERVER_OWNED = frozenset(
    ("creationTimestamp", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid")
)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(slots=True)
class Resource:
    """One document and what of it has been taken. `kind` is what users call it; `unsupported` says why not, by path."""

    document: Document
    diagnostics: Diagnostics
    unsupported: Mapping[str, str] = field(default_factory=dict)
    taken: set[Location] = field(default_factory=set)
    has_failed: bool = False

    @property
    def kind(self) -> str:
        """The kind."""
        return str(self.document.data["kind"])

    @property
    def name(self) -> str:
        """The name."""
        return str((self.document.data.get("metadata") or {}).get("name", ""))

    @property
    def namespace(self) -> str | None:
        """The namespace, if it has one."""
        return (self.document.data.get("metadata") or {}).get("namespace")

    def fields(self, *location: int | str) -> Fields:
        """The fields below a location."""
        return Fields(self, location)

    def warn(self, message: str, location: Location, help: str | None = None) -> None:
        """Something to know of a field that was carried over, or could not be."""
        self.diagnostics.add("KR702", message, self.document.key_span_of(location), help=help)

    def fail(self, message: str, location: Location, help: str | None = None) -> None:
        """Something without which the resource cannot be imported."""
        self.has_failed = True
        self.diagnostics.add("KR701", message, self.document.key_span_of(location), help=help)

    def report_rest(self) -> None:
        """Name every field that nothing has taken."""
        for location, value in self._rest(self.document.data, ()):
            self._report(location, value)

    def _rest(self, value: Any, location: Location) -> Iterator[tuple[Location, Any]]:
        if location in self.taken or value in (None, {}, []) or (location and _is_server_owned(location)):
            return
        is_partly_taken = not location or any(place[: len(location)] == location for place in self.taken)
        if is_partly_taken and isinstance(value, dict):
            for key, item in value.items():
                yield from self._rest(item, (*location, key))
        elif is_partly_taken and isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._rest(item, (*location, index))
        else:
            yield location, value

    def _report(self, location: Location, value: Any) -> None:
        path = _path(location)
        known = [name for name in self.unsupported if path == name or path.startswith(f"{name}.")]
        if known:
            reason = self.unsupported[max(known, key=len)] or "it has a form that is not known here"
            self.warn(f"`{path}` is not carried over: {reason}", location)
        elif isinstance(value, dict) and any(name.startswith(f"{path}.") for name in self.unsupported):
            for key, item in value.items():
                self._report((*location, key), item)
        else:
            self._report_unknown(path, location)

    def _report_unknown(self, path: str, location: Location) -> None:
        parent, _, name = path.rpartition(".")
        siblings = {known.rpartition(".")[2] for known in self.unsupported if known.rpartition(".")[0] == parent}
        version, span = self.document.data["apiVersion"], self.document.key_span_of(location)
        self.has_failed = True
        message = f"`{path}` is no field of {self.kind} in {version}"
        self.diagnostics.add("KR703", message, span, help=did_you_mean(name, siblings))


def _path(location: Location) -> str:
    return ".".join(part for part in location if isinstance(part, str))


def _is_server_owned(location: Location) -> bool:
    if location[0] in ("status", "apiVersion", "kind"):
        return True
    is_metadata = len(location) > 1 and location[0] == "metadata"
    return is_metadata and (location[1] in _SERVER_OWNED or location[-1] == _APPLIED)


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping in a resource. Taking a field says that it is dealt with."""

    resource: Resource
    location: Location

    @property
    def data(self) -> dict[str, Any]:
        """The mapping; empty when it is absent or something else."""
        value: Any = self.resource.document.data
        for part in self.location:
            if isinstance(value, dict):
                value = value.get(str(part))
            else:
                value = value[part] if isinstance(value, list) and isinstance(part, int) else None
        return value if isinstance(value, dict) else {}

    def at(self, name: str) -> Location:
        """The place of a field."""
        return (*self.location, name)

    def has(self, name: str) -> bool:
        """Whether the field is there with a value."""
        return self.data.get(name) not in (None, {}, [])

    def take(self, name: str, default: Any = None) -> Any:
        """The whole value of a field."""
        value = self.data.get(name)
        self.resource.taken.add(self.at(name))
        return default if value is None else value

    def text(self, name: str) -> str | None:
        """A field that is a text; another type fails the resource."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            self.resource.fail(f"`{name}` must be a string", self.at(name))
            return None
        return value

    def number(self, name: str) -> int | float | None:
        """A number, which kagent's CRDs often have as a string."""
        value = self.take(name)
        if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
            return value
        try:
            return int(value) if str(value).lstrip("-").isdigit() else float(value)
        except (TypeError, ValueError):
            self.resource.fail(f"`{name}: {value}` is not a number", self.at(name))
            return None

    def seconds(self, name: str) -> float | int | None:
        """A Go duration such as 1m30s, in seconds."""
        value = self.take(name)
        if value is None:
            return None
        total = _seconds(str(value))
        if total is None:
            self.resource.fail(f"`{name}: {value}` is not a duration", self.at(name), "as in 30s or 5m0s")
        return total

    def below(self, name: str) -> Fields:
        """The fields of a nested mapping."""
        return Fields(self.resource, self.at(name))

    def each(self, name: str) -> Iterator[Fields]:
        """The mappings of a list."""
        items = self.data.get(name)
        for index in range(len(items) if isinstance(items, list) else 0):
            yield Fields(self.resource, (*self.at(name), index))


def _seconds(text: str) -> float | int | None:
    import re

    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    if not re.fullmatch(r"([0-9.]+(h|ms|m|s))+", text):
        return None
    total = sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(h|ms|m|s)", text))
    return int(total) if total == int(total) else total
