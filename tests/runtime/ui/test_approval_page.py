"""The card of a call that waits for a person: what it shows, how it is answered, and what stays of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.edge.model_server import ModelServer
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.specs import agent, compiled
from tests.runtime.ui.browser_tools import need_package
from tests.runtime.ui.conftest import Open
from tests.runtime.ui.test_accessibility import SIZES, violations
from tests.runtime.ui.test_page import ask, finish, shown

need_package("playwright.sync_api")
from playwright.sync_api import Page, expect  # noqa: E402

APPROVED = "tools: [{name: kubectl-get, requireApproval: true}, {name: kubectl-logs}]"
SCHEMA = "outputSchema: {type: object, properties: {state: {type: string}, number: {type: integer}}}"
LIMITS = "limits: {toolCalls: 3, totalTokens: 1000000}"


def call(name: str = "checkout") -> dict[str, Any]:
    """A call that needs an approval."""
    return {"name": "kubectl-get", "arguments": {"resource": "pods", "name": name}}


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """One agent with a tool that needs an approval, and limits."""
    folder = tmp_path_factory.mktemp("careful")
    with ModelServer(puppet(), api_key=KEY) as model:
        config = compiled(folder / "specs", model.base_url, agent("solo", f"{APPROVED}\n{LIMITS}"))
        with Runtime(config, folder / "state", "--cluster", "sample", POD_NAMESPACE="ai-agents") as runtime:
            yield runtime


def cards(page: Page) -> Any:
    """The cards of calls that wait, or waited."""
    return page.locator(".approval")


def test_approve_with_the_keyboard_and_a_reload_shows_the_same(careful: Runtime, open_page: Open) -> None:
    page = open_page(careful.url + "/")
    ask(page, task(solo=[{"tool_calls": [call()]}, {"text": "Seen."}]))
    card = cards(page)
    expect(card.get_by_role("heading")).to_have_text("Run kubectl-get?")
    expect(card.get_by_role("group", name="Arguments")).to_contain_text('"name": "checkout"')
    expect(card).to_contain_text(re.compile(r"solo waits for your approval until \d"))
    expect(page.locator("details.tool .tool-state")).to_have_text("waiting")
    expect(page.locator(".session .waiting")).to_have_text("waits for approval")
    expect(page.locator("#announcements p").last).to_have_text("solo waits for your approval to run kubectl-get")
    page.reload()
    expect(card.get_by_role("button")).to_have_count(2)
    card.get_by_role("group", name="Arguments").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(card.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")
    finish(page)
    expect(card).to_contain_text("Approved")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(card.locator(".approval-state")).to_be_focused()
    before = shown(page)
    page.reload()
    finish(page)
    assert shown(page) == before


def test_deny_with_a_reason(careful: Runtime, open_page: Open) -> None:
    page = open_page(careful.url + "/")
    ask(page, task(solo=[{"tool_calls": [call()]}, {"text": "Then not."}]))
    cards(page).get_by_label("Reason, if you deny").fill("It is <b>Friday</b>.")
    page.keyboard.press("Enter")
    finish(page)
    expect(cards(page)).to_contain_text("Denied: It is <b>Friday</b>.")
    expect(page.locator("details.tool .tool-state")).to_have_text("failed")


def test_each_of_two_calls_has_its_own_card(careful: Runtime, open_page: Open) -> None:
    page = open_page(careful.url + "/")
    ask(page, task(solo=[{"tool_calls": [call("one"), call("two")]}, {"text": "Seen."}]))
    expect(cards(page)).to_have_count(2)
    cards(page).filter(has_text='"two"').get_by_role("button", name="Deny").click()
    expect(cards(page).filter(has_text='"two"')).to_contain_text("Denied")
    expect(cards(page).filter(has_text='"one"').get_by_role("button")).to_have_count(2)
    page.get_by_role("button", name="Stop").click()
    finish(page)
    expect(cards(page).filter(has_text='"one"')).to_contain_text("Stopped")


def test_a_decision_made_elsewhere_closes_the_card(careful: Runtime, open_page: Open) -> None:
    """Here, and says so; a click that comes too late says why it had no effect."""
    page = open_page(careful.url + "/", expect_network_errors=True)
    ask(page, task(solo=[{"tool_calls": [call()]}, {"text": "Seen."}]))
    expect(cards(page)).to_have_count(1)
    page.route("**/approvals/*", lambda route: route.fulfill(status=409, json={"detail": "the call waits no longer"}))
    cards(page).get_by_role("button", name="Approve").click()
    expect(cards(page).get_by_role("alert")).to_have_text("the call waits no longer")
    session = page.url.rpartition("/")[2]
    (asked,) = [event for event in careful.log(session) if event["type"] == "approval.requested"]
    path = f"/api/v1/sessions/{session}/approvals/{asked['callId']}"
    assert careful.client.post(path, json={"decision": "approve"}).status_code == 200
    finish(page)
    expect(cards(page)).to_contain_text("Approved")
    expect(cards(page).get_by_role("alert")).to_have_count(0)


def test_a_limit_is_named_at_the_end(careful: Runtime, open_page: Open) -> None:
    page = open_page(careful.url + "/")
    logs = {"name": "kubectl-logs", "arguments": {"pod": "nothing"}}
    ask(page, task(solo=[{"tool_calls": [logs] * 4}, {"text": "Never said."}]))
    finish(page)
    expect(page.locator(".end-line")).to_contain_text("Stopped at a limit · tool call limit of 3 reached")
    page.get_by_role("button", name="Details").click()
    expect(page.locator("#details-body")).to_contain_text("1,000,000 tokens, 3 tool calls")
    expect(page.locator("#details-body .tool-approval")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe(size: str, scheme: str, careful: Runtime, open_page: Open) -> None:
    page = open_page(careful.url + "/", viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce")
    ask(page, task(solo=[{"tool_calls": [call("one"), call("two")]}, {"text": "Seen."}]))
    expect(cards(page)).to_have_count(2)
    assert violations(page) == []
    cards(page).first.get_by_role("button", name="Deny").click()
    cards(page).last.get_by_role("button", name="Approve").click()
    finish(page)
    assert violations(page) == []


def test_an_answer_that_is_data_is_shown_as_such(tmp_path_factory: pytest.TempPathFactory, open_page: Open) -> None:
    folder = tmp_path_factory.mktemp("data")
    answer = '{"state": "```\\n# open <b>", "number": 1}'
    with ModelServer(lambda _: {"text": answer}, api_key=KEY) as model:
        config = compiled(folder / "specs", model.base_url, agent("solo", SCHEMA))
        with Runtime(config, folder / "state") as runtime:
            page = open_page(runtime.url + "/", expect_network_errors=True)  # the server ends first
            ask(page, "How bad is it?")
            finish(page)
            shown_code = page.locator(".message .code pre")
            expect(shown_code).to_have_text('{\n  "state": "```\\n# open <b>",\n  "number": 1\n}')
            expect(page.locator(".message h3")).to_have_count(0)
