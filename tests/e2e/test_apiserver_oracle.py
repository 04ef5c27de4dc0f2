"""What is said of an object without a server agrees with what the real API server says, over one-point mutations.

The full corpus, by kind, is in tests/benchmarks/ORACLE.md; this is a sample of it with a seed of its own.
"""

from __future__ import annotations

from tests.benchmarks.bench_oracle import Oracle, compare
from tests.benchmarks.mutations import Mutation, mutations, rendered_objects
from tests.e2e.cluster import Cluster

_COUNT, _SEED = 2_000, 2026
_SHARE, _FALSE = 0.98, 2


def test_what_the_server_refuses_is_found_offline(cluster: Cluster) -> None:
    """At least 98 % of the server's refusals, and at most 2 objects refused (0.1 %) that it takes."""
    made = list(mutations(_COUNT, _SEED))
    report = compare(made, Oracle(cluster).verdicts(made))
    missed = report.refused - report.caught
    cluster.tally.count("refused mutations found without a server", number=report.refused, failures=missed)
    taken = report.count - report.refused
    cluster.tally.count("taken mutations taken without a server too", number=taken, failures=len(report.false))
    # So that the sample is one: the server refuses about three of five.
    assert report.refused > _COUNT / 3
    assert taken > _COUNT / 5
    told = [f"{mutation.group}: {said[:200]}" for mutation, said in report.misses]
    assert report.share >= _SHARE, told
    assert len(report.false) <= _FALSE, [(mutation.group, said) for mutation, said in report.false]


def test_both_take_what_is_rendered(cluster: Cluster) -> None:
    """The objects that are mutated are themselves taken; else every change would be refused for another reason."""
    objects = rendered_objects()
    one_of_each = {(item["apiVersion"], item["kind"]): item for item in objects}
    whole = [Mutation("none", (), item, item) for item in [*one_of_each.values(), *objects[::10]]]
    report = compare(whole, Oracle(cluster).verdicts(whole))
    cluster.tally.count("unchanged objects taken by both", number=report.count, failures=report.refused)
    assert (report.refused, report.false) == (0, [])
