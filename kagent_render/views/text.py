"""A difference as plain text: first what it means, then the objects field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.views.blast_radius import WorkloadChange
from kagent_render.views.object_diff import ObjectChange
from kagent_render.views.words import count, field_lines, lines_of, object_title, title, told


def render(workloads: Sequence[WorkloadChange], objects: Sequence[ObjectChange]) -> str:
    """The whole text; empty when nothing differs."""
    return "".join(f"{line}\n" for line in _lines(workloads, objects))


def _lines(workloads: Sequence[WorkloadChange], objects: Sequence[ObjectChange]) -> Iterator[str]:
    for workload in workloads:
        yield title(workload)
        for statement in told(workload):
            yield from (f"  {line}" for line in lines_of(statement))
        yield ""
    if objects:
        yield count(list(objects))
    for item in objects:
        yield f"  {object_title(item)}"
        for field in item.fields:
            yield from (f"    {line}" for line in field_lines(field))
