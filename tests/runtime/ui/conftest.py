"""Chromium on the real runtime: the shipped example in demo mode, and an agent whose model says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES
from tests.runtime.configs import agent, tools
from tests.runtime.configs import runtime_config as envelope
from tests.runtime.process import KEY, Runtime, runtime_config
from tests.runtime.puppet import puppet
from tests.runtime.ui.browser_tools import need_chromium

if TYPE_CHECKING:  # the test modules say what is missing; a conftest cannot skip
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

FLAGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module: while it runs, so does an event loop, and tests with loops of their own cannot."""
    from playwright.sync_api import sync_playwright

    path = need_chromium()
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


class Watch:
    """What a page does that no page of ours may do."""

    def __init__(self, page: Page, origin: str, *, expect_network_errors: bool) -> None:
        self._page, self._origin, self._faults = page, origin, list[str]()
        page.add_init_script(_LISTEN)
        page.on("pageerror", lambda error: self._faults.append(f"uncaught: {error}"))
        page.on("request", self._requested)
        if not expect_network_errors:
            page.on("console", self._logged)

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(self._origin):
            self._faults.append(f"left its origin: {request.url}")

    def _logged(self, entry: ConsoleMessage) -> None:
        if entry.type in ("error", "warning"):
            self._faults.append(f"logged: {entry.text}")

    def end(self) -> list[str]:
        """Close the page and return what it did."""
        violations: list[str] = self._page.evaluate("window.violations")
        self._page.context.close()
        return self._faults + violations


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open pages; at the end of the test, none may have broken the CSP, logged an error, or left its origin."""
    from playwright.sync_api import expect

    watches: list[Watch] = []

    def open_it(url: str, *, expect_network_errors: bool = False, **context: Any) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **context}).new_page()
        watches.append(Watch(page, url, expect_network_errors=expect_network_errors))
        page.goto(url)
        expect(page.locator("#agent-name")).not_to_have_text("…")
        return page

    yield open_it
    assert [fault for watch in watches for fault in watch.end()] == []


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The incident-response example without LLM and without Kubernetes."""
    config = runtime_config(EXAMPLES / "incident-response" / "specs")
    flags = ("--model", "replay", "--cluster", "sample")
    with Runtime(config, tmp_path_factory.mktemp("demo"), *flags, POD_NAMESPACE="ai-agents") as runtime:
        yield runtime


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """One agent whose model follows the script in the user's message."""
    folder: Path = tmp_path_factory.mktemp("scripted")
    with ModelServer(puppet(), api_key=KEY) as model:
        config = envelope(agent("solo", model.base_url, workbench=tools("get")))
        with Runtime(config, folder, "--cluster", "sample", POD_NAMESPACE="ai-agents") as runtime:
            yield runtime
