"""The page as a person uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.process import Runtime
from tests.runtime.puppet import task
from tests.runtime.ui.browser_tools import need_package
from tests.runtime.ui.conftest import Open
from tests.runtime.ui.proxy import Proxy

need_package("playwright.sync_api")
from playwright.sync_api import Page, expect  # noqa: E402

QUESTION = "Why is checkout not working?"


def ask(page: Page, text: str) -> None:
    """Type a message and send it with Enter."""
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_label("Message", exact=True).press("Enter")


def shown(page: Page) -> str:
    """The whole conversation as text."""
    return page.locator("#conversation").inner_text()


def finish(page: Page, runs: int = 1) -> None:
    """Wait until that many runs have ended."""
    expect(page.locator("li.end")).to_have_count(runs, timeout=20_000)


def test_header_says_who_answers_and_that_it_is_a_demonstration(demo: Runtime, open_page: Open) -> None:
    page = open_page(demo.url + "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("incident-response")
    expect(page.locator(".chip")).to_have_text(["Team · Swarm", "replay model – no LLM", "sample cluster"])  # noqa: RUF001
    notices = demo.client.get("/api/v1/agent").json()["notices"]
    expect(page.locator("#notices p")).to_have_text(notices)
    assert page.title() == "incident-response"
    page.get_by_role("button", name="Details").click()
    expect(page.locator(".agent-card")).to_have_count(3)
    expect(page.locator("#details-body")).to_contain_text("kubectl-logs")
    page.keyboard.press("Escape")
    expect(page.locator("#details")).to_be_hidden()


def test_team_answers_with_tools_and_handoffs_and_a_reload_shows_the_same(demo: Runtime, open_page: Open) -> None:
    page = open_page(demo.url + "/")
    page.get_by_role("button", name=QUESTION, exact=True).click()
    expect(page.locator("#stop")).to_be_visible()
    finish(page)
    expect(page.locator(".user-text")).to_have_text(QUESTION)
    speakers = ["diagnostics-agent", "remediation-agent", "communication-agent"]
    expect(page.locator(".turn-head strong")).to_have_text(speakers)
    expect(page.locator(".handoff")).to_have_count(2)
    expect(page.locator(".end-line")).to_have_text(re.compile(r"Finished · .*RESOLVED.* tokens · [\d.]+ s"))
    card = page.locator("details.tool").first
    expect(card).to_contain_text("resource=pods")
    card.locator("summary").click()
    expect(card.get_by_role("group", name="Result")).to_contain_text("CrashLoopBackOff")
    card.locator("summary").click()
    before = shown(page)
    page.reload()
    finish(page)
    assert shown(page) == before
    expect(page.locator("#send")).to_be_visible()


def test_text_appears_while_it_is_written(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    text = " ".join(f"word{number}" for number in range(60))
    ask(page, task(solo=[{"text": text, "chunk_sleep": 0.05}]))
    expect(page.locator(".is-draft")).to_contain_text("word3")
    assert "word59" not in page.locator(".is-draft").inner_text()
    assert page.locator("#announcements").inner_text() == ""  # tokens are not read aloud
    finish(page)
    expect(page.locator(".message")).to_have_text(text)
    expect(page.locator(".is-draft")).to_have_count(0)
    expect(page.locator("#announcements p").first).to_have_text(f"solo: {text}")


def test_stop_ends_the_run(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    ask(page, task(solo=[{"text": "late", "sleep": 20}]))
    expect(page.locator(".working")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    finish(page)
    expect(page.locator(".end-line")).to_contain_text("Stopped by you")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_failed_run_says_why(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    ask(page, task(solo=[{"error": 401}]))
    finish(page)
    expect(page.locator(".error-card strong")).not_to_be_empty()
    expect(page.locator(".error-card p")).to_contain_text("401")
    assert "Traceback" not in shown(page)


def test_failed_tool_call_is_marked(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    call = {"name": "kubectl-get", "arguments": {"resource": "volcanoes"}}
    ask(page, task(solo=[{"tool_calls": [call]}, {"text": "No volcanoes."}]))
    finish(page)
    card = page.locator("details.tool.is-error")
    expect(card.locator(".tool-state")).to_have_text("failed")
    card.locator("summary").click()
    expect(card.get_by_role("group", name="Error")).to_contain_text("`volcanoes` is not granted")


def test_text_beside_a_tool_call_keeps_its_place(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    call = {"name": "kubectl-get", "arguments": {"resource": "pods"}}
    ask(page, task(solo=[{"text": "Let me look.", "tool_calls": [call]}, {"text": "All is well."}]))
    finish(page)
    for _ in range(2):
        body = page.locator(".turn-body > *")
        expect(body).to_have_count(3)
        expect(body.nth(0)).to_have_text("Let me look.")
        expect(body.nth(1)).to_contain_text("kubectl-get")
        expect(body.nth(2)).to_have_text("All is well.")
        page.reload()
        finish(page)


def test_sessions_are_listed_renamed_and_deleted(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    for title in ("first", "second"):
        answer = scripted.client.post("/api/v1/sessions", json={"title": title})
        assert answer.status_code == 201
    page.reload()
    titles = page.locator(".session-title")
    expect(titles.first).to_have_text("second")
    page.get_by_role("button", name="Rename second").click()
    page.get_by_label("Title", exact=True).fill("renamed")
    page.get_by_label("Title", exact=True).press("Enter")
    expect(titles.first).to_have_text("renamed")
    page.get_by_role("button", name="Delete renamed").click()
    page.get_by_role("button", name="Keep it").click()
    expect(titles.first).to_have_text("renamed")
    page.get_by_role("button", name="Delete renamed").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(titles.first).to_have_text("first")
    stored = [session["title"] for session in scripted.client.get("/api/v1/sessions").json()["sessions"]]
    assert stored[0] == "first"
    assert "renamed" not in stored


def test_new_conversation_and_back(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    ask(page, task(solo=[{"text": "here I am"}]))
    finish(page)
    address = page.url
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#conversation li")).to_have_count(0)
    page.go_back()
    expect(page.locator(".message")).to_have_text("here I am")
    assert page.url == address


def test_two_tabs_show_the_same(scripted: Runtime, open_page: Open) -> None:
    first = open_page(scripted.url + "/")
    ask(first, task(solo=[{"text": "one"}]))
    finish(first)
    second = open_page(scripted.url + "/")
    second.goto(first.url)
    second.reload()
    finish(second)
    ask(second, task(solo=[{"text": "two"}]))
    finish(first, 2)
    finish(second, 2)
    assert shown(first) == shown(second)


def test_enter_sends_and_shift_enter_does_not(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/")
    field = page.get_by_label("Message", exact=True)
    field.fill("line one")
    field.press("Shift+Enter")
    assert field.input_value() == "line one\n"
    expect(page.locator("#conversation li")).to_have_count(0)
    field.fill("   ")
    field.press("Enter")
    expect(page.locator("#conversation li")).to_have_count(0)
    field.fill("x" * 65_537)
    expect(page.locator("#send")).to_be_disabled()
    expect(page.get_by_role("alert")).to_have_text("The message is 1 bytes too long.")


@pytest.fixture
def proxy(scripted: Runtime) -> Iterator[Proxy]:
    with Proxy(scripted.url, "/agents/solo") as running:
        yield running


def test_page_works_under_a_path_prefix_and_resumes_after_a_drop(proxy: Proxy, open_page: Open) -> None:
    page = open_page(proxy.url, expect_network_errors=True)
    text = " ".join(f"word{number}" for number in range(50))
    ask(page, task(solo=[{"text": text, "chunk_sleep": 0.05}]))
    expect(page.locator(".is-draft")).to_contain_text("word3")
    proxy.cut()
    expect(page.locator("#connection")).to_have_text("Reconnecting…")
    page.wait_for_timeout(600)
    proxy.mend()
    expect(page.locator("#connection")).to_be_empty(timeout=15_000)
    finish(page)
    expect(page.locator(".message")).to_have_text(text)
    expect(page.locator(".user")).to_have_count(1)


def test_unknown_session_leads_to_the_start(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/", expect_network_errors=True)
    page.goto(scripted.url + "/#/sessions/gone")
    expect(page.get_by_role("alert")).to_have_text("That conversation does not exist any more.")
    expect(page.locator("#welcome")).to_be_visible()


def test_session_deleted_elsewhere_is_left(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/", expect_network_errors=True)
    ask(page, task(solo=[{"text": "here"}]))
    finish(page)
    assert scripted.client.delete(f"/api/v1/sessions/{page.url.rpartition('/')[2]}").status_code == 204
    expect(page.locator("#welcome")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("alert")).to_have_text("That conversation does not exist any more.")


def test_reader_who_scrolled_up_is_left_in_place(scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/", viewport={"width": 800, "height": 400})
    lines = "\n\n".join(f"paragraph {number}" for number in range(60))
    ask(page, task(solo=[{"text": lines, "chunk_sleep": 0.02}]))
    expect(page.locator(".message p").nth(15)).to_be_visible()
    page.locator("#scroller").hover()
    page.mouse.wheel(0, -300)
    expect(page.locator("#jump")).to_be_visible()
    top = page.evaluate("document.getElementById('scroller').scrollTop")
    finish(page)
    assert page.evaluate("document.getElementById('scroller').scrollTop") == top
    page.locator("#jump").click()
    expect(page.locator("li.end")).to_be_in_viewport()


def test_phone_keeps_the_list_behind_a_button(demo: Runtime, open_page: Open) -> None:
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(demo.url + "/", **phone)
    ask(page, QUESTION)
    finish(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.getElementById('scroller').scrollWidth") <= 390
    expect(page.locator("#sidebar")).to_be_hidden()
    page.locator("#menu").tap()
    expect(page.locator("#sidebar")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sidebar")).to_be_hidden()
