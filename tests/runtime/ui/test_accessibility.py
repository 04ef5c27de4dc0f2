"""axe-core finds nothing serious, in light and dark, on a desktop and a phone; the keyboard reaches everything."""

from __future__ import annotations

import pytest

from tests.runtime.process import Runtime
from tests.runtime.ui.browser_tools import need_package
from tests.runtime.ui.conftest import Open
from tests.runtime.ui.test_page import QUESTION, ask, finish

need_package("playwright.sync_api")
axe = need_package("axe_playwright_python.sync_playwright")
from playwright.sync_api import Page, expect  # noqa: E402

SIZES = {"desktop": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 844}}


def violations(page: Page) -> list[str]:
    """Every rule that is broken, with the elements, whatever its impact."""
    found = axe.Axe().run(page).response["violations"]
    return [f"{rule['impact']} {rule['id']}: {[node['html'][:120] for node in rule['nodes']]}" for rule in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe(size: str, scheme: str, demo: Runtime, open_page: Open) -> None:
    page = open_page(demo.url + "/", viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce")
    assert violations(page) == []
    ask(page, QUESTION)
    finish(page)
    page.locator("details.tool summary").first.click()
    assert violations(page) == []
    page.get_by_role("button", name="Details").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    if size == "phone":
        page.locator("#menu").click()
        assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_on_the_states_of_trouble(scheme: str, scripted: Runtime, open_page: Open) -> None:
    page = open_page(scripted.url + "/", color_scheme=scheme, reduced_motion="reduce")
    ask(page, '{"solo": [{"error": 401}]}')
    finish(page)
    page.get_by_label("Message", exact=True).fill("x" * 65_537)
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    page.locator(".session").first.hover()
    page.get_by_role("button", name="Delete").first.click()
    assert violations(page) == []


def test_keyboard_alone_is_enough(demo: Runtime, open_page: Open) -> None:
    page = open_page(demo.url + "/")
    page.locator("#new-session").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    finish(page)
    page.locator("details.tool summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.tool").first).to_have_attribute("open", "")


def test_reduced_motion_stops_every_animation(demo: Runtime, open_page: Open) -> None:
    page = open_page(demo.url + "/", reduced_motion="reduce")
    ask(page, QUESTION)
    expect(page.locator("#stop")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    finish(page)
