"""GitHub's rate limits: once it said so, nothing is sent until then, however often a model tries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kagent_runtime.components import github_limits
from tests.edge.github_api import READ_TOKEN, TOKEN, GithubApiServer, issue
from tests.runtime.benches import Bench

_TOOLS = ("list_issues", "search_issues", "search_code", "add_comment")
COMMENT = {"number": 1, "body": "Seen."}
REFUSAL = "GitHub's rate limit is used up; try again in "


@pytest.fixture
def github() -> Iterator[GithubApiServer]:
    with GithubApiServer({"octo/shop": {"issues": [issue(1, "checkout fails")], "files": {"a": "x"}}}) as server:
        yield server


@pytest.fixture
def bench(github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return made(github, tmp_path, monkeypatch)


def made(github: GithubApiServer, folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: int = 30) -> Bench:
    """Tools that read, search and write, with one token."""
    specs = {}
    for operation in _TOOLS:
        name = operation.replace("_", "-")
        monkeypatch.setenv(f"KAGENT_TOOL_{operation.upper()}_TOKEN", TOKEN)
        specs[name] = (
            f"type: github\ndescription: Asks\ngithub: {{operation: {operation}, url: '{github.api}', "
            "repositories: [octo/shop], allowPrivateAddresses: true, "
            f"timeoutSeconds: {seconds}, tokenSecretRef: {{name: github, key: token}}}}"
        )
    return Bench(folder, specs)


async def test_the_primary_limit_costs_no_further_request(
    bench: Bench, github: GithubApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For any tool with that token, to read or to write; another token goes on."""
    github.remaining = 0
    text = await bench.fails("list-issues")
    assert text.startswith(REFUSAL)
    assert int(text.removeprefix(REFUSAL).split()[0]) in range(2990, 3002)
    assert text.endswith("Z, and not before")
    assert len(github.requests) == 1
    github.remaining = 5000
    for _ in range(3):
        assert (await bench.fails("list-issues")).startswith(REFUSAL)
        assert (await bench.fails("add-comment", **COMMENT)).startswith(REFUSAL)
    assert len(github.requests) == 1
    monkeypatch.setenv("KAGENT_TOOL_LIST_ISSUES_TOKEN", READ_TOKEN)
    assert "checkout fails" in await bench.gets("list-issues")


async def test_the_last_request_of_a_window_is_answered_and_no_other_is_sent(
    bench: Bench, github: GithubApiServer
) -> None:
    github.remaining, github.refusals = 0, 0
    assert "checkout fails" in await bench.gets("list-issues")
    assert (await bench.fails("list-issues")).startswith(REFUSAL)
    assert len(github.requests) == 1


async def test_searches_have_a_limit_of_their_own(bench: Bench, github: GithubApiServer) -> None:
    """A minute without searches is not an hour without anything."""
    github.remaining, github.refusals, github.resource = 0, 0, "code_search"
    await bench.gets("search-code", query="x")
    github.remaining = 10
    assert (await bench.fails("search-code", query="x")).startswith(REFUSAL)
    await bench.gets("search-issues", query="x")
    await bench.gets("list-issues")
    assert len(github.requests) == 3
    # An Enterprise Server counts both kinds of searches as one.
    github.remaining, github.resource = 0, "search"
    await bench.gets("search-issues", query="x")
    assert (await bench.fails("search-issues", query="x")).startswith(REFUSAL)
    assert len(github.requests) == 4


async def test_the_secondary_limit_is_for_everything(bench: Bench, github: GithubApiServer) -> None:
    github.retry_after = "60"
    assert (await bench.fails("add-comment", **COMMENT)).startswith(f"{REFUSAL}60 s, at 20")
    github.retry_after = None
    for name, arguments in (("add-comment", COMMENT), ("list-issues", {}), ("search-code", {"query": "x"})):
        assert (await bench.fails(name, **arguments)).startswith(REFUSAL)
    assert len(github.requests) == 1


async def test_a_short_limit_is_waited_out_once(bench: Bench, github: GithubApiServer) -> None:
    """Also before something is written: what a limit refused was not done."""
    github.retry_after, github.refusals = "1", 1
    before = time.monotonic()
    assert "commented on #1" in await bench.gets("add-comment", **COMMENT)
    assert time.monotonic() - before >= 1
    assert github.repository("octo/shop")["commented"] == [(1, "Seen.")]
    assert len(github.requests) == 3
    github.refusals = None
    assert (await bench.fails("list-issues")).startswith(f"{REFUSAL}1 s")
    assert len(github.requests) == 5


async def test_a_write_that_was_refused_is_sent_again_once(bench: Bench, github: GithubApiServer) -> None:

    def limited() -> None:
        github.retry_after, github.refusals = "1", 1

    github.before["POST"] = limited
    assert "commented on #1" in await bench.gets("add-comment", **COMMENT)
    assert [request.method for request in github.requests] == ["GET", "POST", "POST"]
    assert github.repository("octo/shop")["commented"] == [(1, "Seen.")]


async def test_a_wait_that_does_not_fit_is_not_waited(
    github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool's own time would end first."""
    bench = made(github, tmp_path, monkeypatch, seconds=2)
    github.retry_after = "3"
    before = time.monotonic()
    assert (await bench.fails("list-issues")).startswith(f"{REFUSAL}3 s")
    assert time.monotonic() - before < 1.5
    assert len(github.requests) == 1


async def test_a_limit_ends(bench: Bench, github: GithubApiServer) -> None:
    github.retry_after = "6"
    await bench.fails("list-issues")
    github.retry_after = None
    await asyncio.sleep(1.5)
    assert "checkout fails" in await bench.gets("list-issues")  # the rest is short enough to be waited for
    assert len(github.requests) == 2


@pytest.mark.parametrize(
    ("later", "seconds"), [("9" * 400, 86_400), ("soon", 60), ("-5", 60), ("", 60), ("999999999", 86_400)]
)
async def test_headers_that_make_no_sense(later: str, seconds: int, bench: Bench, github: GithubApiServer) -> None:
    """Without a word GitHub asks for a minute; no header keeps a tool from working for ever."""
    github.retry_after = later
    github.remaining = 0 if later == "" else 5000
    github.reset_seconds = 60
    text = await bench.fails("list-issues")
    told = int(text.removeprefix(REFUSAL).split()[0])
    assert abs(told - seconds) <= 1, text  # a server's clock shows whole seconds


async def test_what_is_kept_holds_no_token(bench: Bench, github: GithubApiServer) -> None:
    github.retry_after = "60"
    await bench.fails("list-issues")
    kept = repr(github_limits._until)
    assert f"127.0.0.1:{github.port}" in kept
    assert TOKEN not in kept
