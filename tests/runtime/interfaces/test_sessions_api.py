"""Finding, keeping and removing conversations over our own API; and what its description promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kagent_runtime.export import markdown
from kagent_runtime.store import SessionRow
from tests.edge.model_server import ModelServer
from tests.runtime.process import Runtime
from tests.runtime.puppet import task
from tests.runtime.specs import agent, compiled

FREE = {"name": "kubectl-describe", "arguments": {"resource": "pods", "name": "checkout-1"}}


def _titled(runtime: Runtime, title: str) -> str:
    return str(runtime.client.post("/api/v1/sessions", json={"title": title}).json()["id"])


def _listed(runtime: Runtime, **query: Any) -> dict[str, Any]:
    answer = runtime.client.get("/api/v1/sessions", params=query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_conversations_are_found_by_title_and_by_what_was_said(solo: Runtime) -> None:
    """In any case, by either side; signs of patterns are signs."""
    titled, said = _titled(solo, "Zebra 100%_sure"), _titled(solo, "Other")
    solo.ask(said, task(solo=[{"text": "The quagga was grüßt."}]))
    found = {q: [item["id"] for item in _listed(solo, q=q)["sessions"]] for q in ("zebra", "QUAGGA was", "100%_s")}
    assert found == {"zebra": [titled], "QUAGGA was": [said], "100%_s": [titled]}
    assert [item["id"] for item in _listed(solo, q="grüßt")["sessions"]] == [said]
    for nothing in ("quagga%was", "message.user", said[:12]):
        assert _listed(solo, q=nothing)["sessions"] == []


def test_a_long_list_comes_in_pages(solo: Runtime) -> None:
    """Each conversation once, newest first; the last page says that it is the last."""
    made = [_titled(solo, f"Paged {number}") for number in range(7)]
    seen, after, pages = [], None, 0
    while True:
        page = _listed(solo, q="Paged", limit=3, **({"after": after} if after else {}))
        seen += [item["id"] for item in page["sessions"]]
        after, pages = page["next"], pages + 1
        if after is None:
            break
    assert (seen, pages) == (made[::-1], 3)
    assert solo.client.get("/api/v1/sessions?after=nonsense").status_code == 422


def test_a_conversation_is_exported(solo: Runtime) -> None:
    """As JSON with every event, as Markdown to read; with a name to save it under."""
    session = _titled(solo, "To keep")
    solo.ask(session, task(solo=[{"tool_calls": [FREE]}, {"text": "It **runs**: ``` is a fence."}]))
    whole = solo.client.get(f"/api/v1/sessions/{session}/export")
    assert whole.json()["session"]["title"] == "To keep"
    assert whole.json()["events"] == solo.log(session)
    assert whole.headers["content-disposition"].startswith('attachment; filename="solo-')
    told = solo.client.get(f"/api/v1/sessions/{session}/export?format=markdown")
    assert told.headers["content-type"] == "text/markdown; charset=utf-8"
    assert told.headers["content-disposition"].endswith('.md"')
    text = told.text
    assert text.startswith("# To keep\n\nConversation with solo, from ")
    for part in ("## User", "**solo** calls `kubectl-describe`:\n\n```json\n{", "It **runs**: ``` is a fence."):
        assert part in text
    assert solo.client.get("/api/v1/sessions/nope/export").status_code == 404
    assert solo.client.get(f"/api/v1/sessions/{session}/export?format=pdf").status_code == 422


def test_an_export_tells_failures_and_decisions() -> None:
    """A fence is longer than any in what it holds."""
    result = {"type": "tool.result", "name": "x", "isError": True, "content": "a ```` b"}
    decided = {"type": "approval.decided", "name": "x", "decision": "deny", "by": "person", "reason": "Not\nnow"}
    failed = {"type": "run.finished", "outcome": "failed", "stopReason": None, "error": {"title": "T", "detail": "d"}}
    text = markdown(SessionRow("1", "t", "a", "b"), [result, decided, failed], "solo")
    assert "`x` failed:\n\n`````\na ```` b\n`````\n" in text
    assert "Approval of `x`: deny, by person: Not now" in text
    assert "*The turn failed: T: d*" in text


def test_a_removed_conversation_is_gone_everywhere(solo: Runtime) -> None:
    """From the list, the search and the export."""
    session = _titled(solo, "Short-lived")
    assert solo.client.delete(f"/api/v1/sessions/{session}").status_code == 204
    assert _listed(solo, q="Short-lived")["sessions"] == []
    assert solo.client.get(f"/api/v1/sessions/{session}/export").status_code == 404


def test_the_description_has_every_route(solo: Runtime) -> None:
    """With the protocols that can be described in it."""
    paths = solo.client.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/sessions/{id}/export", "/v1/chat/completions", "/v1/models"} <= set(paths)
    names = {item["name"] for item in paths["/api/v1/sessions"]["get"]["parameters"]}
    assert names == {"limit", "q", "after"}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """An agent that answers whatever it is sent."""
    folder = tmp_path_factory.mktemp("described")
    with ModelServer(lambda _: {"text": "Yes."}) as model:
        with Runtime(compiled(folder / "specs", model.base_url, agent("solo")), folder / "run") as runtime:
            yield runtime


OPERATIONS = [
    "GET /api/v1/agent",
    "GET /api/v1/sessions",
    "POST /api/v1/sessions",
    "GET /api/v1/sessions/{id}",
    "PATCH /api/v1/sessions/{id}",
    "DELETE /api/v1/sessions/{id}",
    "GET /api/v1/sessions/{id}/export",
    "GET /api/v1/sessions/{id}/events",
    "POST /api/v1/sessions/{id}/messages",
    "POST /api/v1/sessions/{id}/cancel",
    "POST /api/v1/sessions/{id}/stop",
    "POST /api/v1/sessions/{id}/approvals/{call_id}",
    "GET /v1/models",
    "GET /v1/models/{name}",
    "POST /v1/chat/completions",
]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_operation_is_tried(described: Runtime) -> None:
    paths = described.client.get("/api/v1/openapi.json").json()["paths"]
    assert sorted(f"{method.upper()} {path}" for path in paths for method in paths[path]) == sorted(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_generated_requests_are_answered_as_described(described: Runtime, label: str) -> None:
    """Those that the description allows, and those that it forbids; of a session that is there, and of others."""
    method, _, path = label.partition(" ")
    schema = schemathesis.openapi.from_dict(described.client.get("/api/v1/openapi.json").json())
    operation = schema[path][method]
    session, codes = _titled(described, "Generated"), set()
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if _takes_input(operation) else [GenerationMode.POSITIVE]

    @settings(
        max_examples=30,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]), st.booleans())
    def requests(case: Any, is_there: bool) -> None:
        if is_there and "id" in case.path_parameters and method != "DELETE":
            case.path_parameters["id"] = session
        if is_there and isinstance(case.body, dict) and "model" in case.body:
            case.body["model"] = "solo"
        codes.add(case.call_and_validate(base_url=described.url, checks=CHECKS, timeout=10).status_code)

    requests()
    assert codes
    assert max(codes) < 500


def _takes_input(operation: Any) -> bool:
    return bool(operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody"))
