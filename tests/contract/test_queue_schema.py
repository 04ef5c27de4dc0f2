"""KEDA's query and the runtime agree on where the tasks of a workload stand."""

from __future__ import annotations

import pytest

from kagent_render.lower.queue import backlog_query
from kagent_runtime.storage.database import schema_name
from kagent_runtime.storage.tables import TASKS
from kagent_runtime.storage.tasks import OPEN


@pytest.mark.parametrize(
    "identity", ["agents Agent triage", "a-b AgentTeam incident-response", f"{'n' * 63} Agent {'x' * 63}"]
)
def test_the_query_counts_the_table_of_the_runtime(identity: str) -> None:
    """The schema's name is made on both sides, which never import each other."""
    states = ", ".join(f"'{state}'" for state in OPEN)
    table = f"{schema_name(identity)}.{TASKS.name}"
    assert backlog_query(identity) == f"SELECT count(*) FROM {table} WHERE {TASKS.c.state.name} IN ({states})"
