"""The page of an agent that wants to know who asks."""

from __future__ import annotations

import os
from pathlib import Path

from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES
from tests.runtime.process import Runtime, runtime_config
from tests.runtime.ui.browser_tools import need_package
from tests.runtime.ui.conftest import Open
from tests.runtime.ui.test_page import ask, finish, shown

need_package("playwright.sync_api")
from playwright.sync_api import expect  # noqa: E402

TOKEN = "canary-ann-0123456789abcdef"


def test_the_page_asks_for_a_token_until_it_has_a_good_one(tmp_path: Path, open_page: Open) -> None:
    """Then it chats and follows the events with it, keeps it over a reload, and asks again when it holds no longer."""
    (tmp_path / "tokens").write_text(f"ann:{TOKEN}\n")
    settings = {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": str(tmp_path / "tokens")}
    flags = ("--cluster", "sample", "--management-port", "0")
    with ModelServer(lambda _: {"text": "All is well."}) as model:
        more = ("--model-base-url", model.base_url)
        with Runtime(runtime_config(EXAMPLES / "quickstart"), tmp_path / "state", *flags, *more, **settings) as runtime:
            page = open_page(runtime.url + "/", expect_network_errors=True)
            dialog = page.get_by_role("dialog", name="Token needed")
            expect(dialog).to_be_visible()
            page.keyboard.press("Escape")
            expect(dialog).to_be_visible()
            expect(page.get_by_role("alert")).to_be_hidden()
            page.get_by_label("Token", exact=True).fill("not-the-right-one")
            page.get_by_role("button", name="Continue").click()
            expect(dialog.get_by_role("alert")).to_have_text("That token is not accepted, or not any more.")
            page.get_by_label("Token", exact=True).fill(TOKEN)
            page.get_by_label("Token", exact=True).press("Enter")
            expect(page.locator("#agent-name")).to_have_text("k8s-troubleshooter")
            expect(dialog).to_be_hidden()
            ask(page, "hello")
            finish(page)
            assert "All is well." in shown(page)
            page.reload()
            expect(page.locator("#conversation")).to_contain_text("All is well.")
            stored = page.evaluate("[JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]")
            assert TOKEN in stored[0]
            assert TOKEN not in stored[1] + stored[2] + page.url
            (tmp_path / "new").write_text("ann:canary-new-0123456789abcdef\n")
            os.replace(tmp_path / "new", tmp_path / "tokens")
            page.wait_for_timeout(1500)
            page.reload()
            expect(dialog.get_by_role("alert")).to_be_visible()
            runtime.process.terminate()
            assert "canary" not in runtime.wait_stderr()
