"""A difference as Markdown for a pull-request comment. All text of a spec is inside fences, so none is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kagent_render.views.blast_radius import WorkloadChange
from kagent_render.views.object_diff import ObjectChange
from kagent_render.views.words import count, field_lines, lines_of, object_title, title, told

# GitHub's limit of a comment is 65,536 characters.
MAX_LENGTH = 60_000


def render(workloads: Sequence[WorkloadChange], objects: Sequence[ObjectChange]) -> str:
    """The comment; one sentence when nothing differs."""
    if not objects:
        return "### kagent-render: nothing changes\n"
    text = _joined(_meaning(workloads))
    details = _joined(_details(objects))
    if len(text) + len(details) > MAX_LENGTH:
        details = f"{count(list(objects))}; too long for a comment.\n"
    return text + details


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _meaning(workloads: Sequence[WorkloadChange]) -> Iterator[str]:
    yield "### kagent-render: what this changes"
    yield ""
    if not workloads:
        yield "No permission, network path, Secret, image, model or prompt changes."
        yield ""
    room = MAX_LENGTH
    for workload in workloads:
        block = _joined(_fenced(line for item in told(workload) for line in lines_of(item)))
        room -= len(block)
        yield f"**{_inline(title(workload))}**"
        yield ""
        # Left out as a whole: a fence that is cut would swallow the rest of the comment.
        yield block if room > 0 else "Too long for a comment.\n"


def _details(objects: Sequence[ObjectChange]) -> Iterator[str]:
    yield f"<details><summary>{count(list(objects))}</summary>"
    yield ""
    for item in objects:
        yield f"**{_inline(object_title(item))}**"
        yield ""
        if item.fields:
            yield from _fenced(line for field in item.fields for line in field_lines(field))
            yield ""
    yield "</details>"


def _fenced(lines: Iterable[str]) -> Iterator[str]:
    """The lines as a block that GitHub colours: `!` is what it has for a change."""
    shown = ["!" + line[1:] if line.startswith("~") else line.removeprefix("    ") for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}diff"
    yield from shown
    yield fence


def _inline(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>&~|])", r"\\\1", text)
