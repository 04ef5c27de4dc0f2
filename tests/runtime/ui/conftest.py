"""Chromium on the real runtime: the shipped example in demo mode, and an agent whose model says what the test wants."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES
from tests.runtime.configs import agent, tools
from tests.runtime.configs import runtime_config as envelope
from tests.runtime.process import KEY, Runtime, runtime_config
from tests.runtime.puppet import puppet

playwright = pytest.importorskip("playwright.sync_api", reason="the package `playwright` is not installed")
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
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
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH: apt-get install chromium")
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open pages; at the end of the test, none may have broken the CSP, logged an error, or left its origin."""
    watched: list[tuple[Page, list[str]]] = []

    def open_it(url: str, *, expect_network_errors: bool = False, **context: object) -> Page:
        page = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 860}, **context}).new_page()
        faults: list[str] = []
        page.add_init_script(_LISTEN)
        page.on("pageerror", lambda error: faults.append(f"uncaught: {error}"))
        page.on("request", lambda request: request.url.startswith(url) or faults.append(f"left: {request.url}"))
        if not expect_network_errors:
            page.on("console", lambda entry: entry.type in ("error", "warning") and faults.append(entry.text))
        watched.append((page, faults))
        page.goto(url)
        page.wait_for_function("document.getElementById('agent-name').textContent !== '…'")
        return page

    yield open_it
    for page, faults in watched:
        faults += page.evaluate("window.violations")
        page.context.close()
        assert faults == []


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
