"""What validation without a server finds of what a real API server refuses, over one-point mutations.

python -m tests.benchmarks.bench_oracle [--count 20000] [--seed 1] [--verdicts FILE] [--misses 20] [--write]

Every mutation is applied to a real API server (server-side, dry run, `fieldValidation=Strict`) that has all CRDs of
tests/contract/crds. With `--verdicts` the server's answers are kept in a file, and taken from there the next time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from kagent_render.rules import object_defects
from kagent_render.schemas import NEWEST
from tests.benchmarks.mutations import JSON, Mutation, mutations
from tests.e2e.cluster import Cluster
from tests.e2e.controlplane.client import ApiError, Client
from tests.e2e.controlplane.control_plane import ControlPlane
from tests.e2e.tally import Tally

TABLE = Path(__file__).parent / "ORACLE.md"
_THREADS = 4
_PLACE = "oracle"
_TEXT = """# Offline validation against a real API server

Made by `{command}`, with
kube-apiserver of {server} and every CRD of tests/contract/crds. One thing is changed in an object of an example
or case. The server is asked by a server-side dry run with `fieldValidation=Strict`, and then, without a server,
`kagent_render.rules.object_defects`. A *known field* is one that the kind has and this object has not; nearly all of
them are never rendered.

| kind | mutations | refused by the server | of these found offline | refused only offline |
|---|--:|--:|--:|--:|
{kinds}

| change | mutations | refused by the server | of these found offline | refused only offline |
|---|--:|--:|--:|--:|
{changes}

Refused only offline: {false} of what the server takes. {milliseconds} ms an object.
What is refused only offline are numbers such as 10^20 for an int32: the server makes another number of some of them.
tests/e2e/test_apiserver_oracle.py asks 2,000 others in CI.
"""


@dataclass
class Report:
    """How the two verdicts compare. A miss is what only the server refuses, a false one what only we do."""

    count: int = 0
    refused: int = 0
    caught: int = 0
    milliseconds: float = 0.0
    misses: list[tuple[Mutation, str]] = field(default_factory=list)
    false: list[tuple[Mutation, str]] = field(default_factory=list)
    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    by_change: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the server's refusals, the share that is found without it."""
        return self.caught / self.refused if self.refused else 1.0

    @property
    def false_share(self) -> float:
        """Of what the server takes, the share that we would refuse."""
        return len(self.false) / max(1, self.count - self.refused)

    def add(self, mutation: Mutation, said: str, found: Sequence[str]) -> None:
        """Count one mutation by what the server said ("" if it took it) and what was found."""
        counts = Counter(
            count=1, refused=int(bool(said)), caught=int(bool(said and found)), false=int(bool(found and not said))
        )
        for group, name in ((self.by_kind, _kind(mutation.before)), (self.by_change, mutation.action)):
            group.setdefault(name, Counter()).update(counts)
        self.count += 1
        self.refused += counts["refused"]
        self.caught += counts["caught"]
        if said and not found:
            self.misses.append((mutation, said))
        elif found and not said:
            self.false.append((mutation, found[0]))


def _kind(item: JSON) -> str:
    return f"{item['kind']} of {item['apiVersion'].rpartition('/')[0] or 'core'}"


def found_offline(mutation: Mutation) -> list[str]:
    """The defects of a mutated object in words, without a server."""
    found = object_defects(mutation.after, NEWEST)
    return [f"{'.'.join(map(str, defect.path))} {defect.message}" for defect in found]


def compare(made: Iterable[Mutation], verdicts: Iterable[str]) -> Report:
    """Hold what we find to what the server said."""
    report, spent = Report(), 0.0
    for mutation, said in zip(made, verdicts, strict=True):
        started = time.process_time()
        found = found_offline(mutation)
        spent += time.process_time() - started
        report.add(mutation, said, found)
    report.milliseconds = 1000 * spent / max(1, report.count)
    return report


class Oracle:
    """A real API server's verdicts, asked over several connections."""

    def __init__(self, cluster: Cluster) -> None:
        self._plane = cluster.plane
        self._namespaces = {_PLACE}
        cluster.plane.make_namespace(_PLACE)

    def prepare(self, made: Iterable[Mutation]) -> None:
        """Make the namespaces that the objects are in."""
        for mutation in made:
            name = mutation.before["metadata"].get("namespace", _PLACE)
            if name not in self._namespaces:
                self._namespaces.add(name)
                self._plane.make_namespace(name)

    def verdicts(self, made: Sequence[Mutation]) -> list[str]:
        """Why the server refuses each, "" where it does not."""
        self.prepare(made)
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(self.ask, made))

    def ask(self, mutation: Mutation) -> str:
        """Why the server refuses it, or "". Raises ApiError where the server has another trouble."""
        try:
            _apply(self._plane.client, mutation)
        except ApiError as error:
            if error.status in (401, 429, 502, 503, 504):
                raise
            return str(error) or "refused"
        return ""


def _apply(client: Client, mutation: Mutation) -> None:
    """As kubectl would: to the path of the name in the object, or a create where it has none."""
    name = mutation.after["metadata"].get("name")
    base = client.path(mutation.before, _PLACE).rpartition("/")[0]
    query = {"fieldValidation": "Strict", "dryRun": "All", "fieldManager": "oracle"}
    if isinstance(name, str) and name:
        headers = {"Content-Type": "application/apply-patch+yaml"}
        path = f"{base}/{quote(name, safe='')}"
        client.request("PATCH", path, json.dumps(mutation.after, ensure_ascii=False), params=query, headers=headers)
    else:
        client.request("POST", base, mutation.after, params=query)


def _kept(path: Path | None, made: list[Mutation]) -> list[str]:
    if path is not None and path.is_file():
        kept: list[str] = json.loads(path.read_text(encoding="utf-8"))
        if len(kept) >= len(made):
            return kept[: len(made)]
    with ControlPlane() as plane:
        verdicts = Oracle(Cluster(plane, Tally())).verdicts(made)
    if path is not None:
        path.write_text(json.dumps(verdicts), encoding="utf-8")
    return verdicts


def _told(report: Report, misses: int) -> Iterable[str]:
    yield f"{report.count:,} mutations: the server refuses {report.refused:,}, of which {report.caught:,} are found"
    yield f"offline ({report.share:.2%}); {len(report.false)} refused that it takes ({report.false_share:.3%});"
    yield f"{report.milliseconds:.2f} ms an object"
    for name, found in (("misses", report.misses), ("false", report.false)):
        groups = Counter(mutation.group for mutation, _ in found)
        said = {mutation.group: text for mutation, text in found}
        for group, number in groups.most_common(misses):
            yield f"{name} {number:4} {group} | {said[group][:300]}"


def table(report: Report, seed: int, server: str) -> str:
    """ORACLE.md: the figures by kind, and the command that makes them."""
    command = f"python -m tests.benchmarks.bench_oracle --count {report.count} --seed {seed} --write"
    total = f"| **all** | {report.count:,} | {report.refused:,} | **{report.share:.2%}** | {len(report.false)} |"
    return _TEXT.format(
        command=command,
        server=server,
        kinds="\n".join([*_rows(report.by_kind), total]),
        changes="\n".join(_rows(report.by_change)),
        false=f"{report.false_share:.3%}",
        milliseconds=f"{report.milliseconds:.2f}",
    )


def _rows(counts: dict[str, Counter[str]]) -> list[str]:
    return [
        f"| {name} | {n['count']:,} | {n['refused']:,} | {_share(n['caught'], n['refused'])} | {n['false']} |"
        for name, n in sorted(counts.items())
    ]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""


def main(arguments: Sequence[str]) -> int:
    """Print the figures and what is missed most often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verdicts", type=Path)
    parser.add_argument("--misses", type=int, default=20)
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args(arguments)
    made = list(mutations(options.count, options.seed))
    report = compare(made, _kept(options.verdicts, made))
    sys.stdout.write("\n".join(_told(report, options.misses)) + "\n")
    if options.write:
        TABLE.write_text(table(report, options.seed, f"Kubernetes {NEWEST}"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
