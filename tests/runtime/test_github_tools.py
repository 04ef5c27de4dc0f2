"""github tools against GitHub's API in its published shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kagent_render.catalog.base import Endpoint
from kagent_render.catalog.tools.github_operations import ENTRIES
from tests.edge.github_api import TOKEN, GithubApiServer, issue, pull
from tests.edge.http_target import Trap
from tests.edge.model_server import ModelServer
from tests.runtime.benches import Bench, compiled, endpoints
from tests.runtime.process import Runtime
from tests.runtime.puppet import puppet, task

SHOP: dict[str, Any] = {
    "private": True,
    "files": {
        "README.md": "# Shop\nread me\n",
        "src/app.py": "def checkout(): ...\n",
        "src/data.json": '[{"a": 1}]',
        "src/a b#c.txt": "odd name",
        "large.txt": "0123456789\n" * 20_000,
    },
    "issues": [
        issue(1, "checkout fails", labels=[{"name": "bug"}, {"name": "urgent"}], comments=35),
        issue(2, "checkout is slow", state="closed"),
        *(issue(number, f"other {number}") for number in range(10, 130)),
    ],
    "pulls": [
        pull(5, "Fix checkout"),
        pull(6, "Other", base={"ref": "dev"}),
        pull(7, "Done", state="closed", merged=True),
    ],
    "runs": [
        {
            "id": 70 + number,
            "name": "ci",
            "status": "completed",
            "conclusion": "failure" if number % 2 else "success",
            "head_branch": "main",
            "display_title": f"Change {number}",
            "created_at": "2026-01-01T00:00:00Z",
        }
        for number in range(4)
    ],
    "jobs": {
        71: [
            {"id": 701, "name": "lint", "status": "completed", "conclusion": "success", "steps": []},
            {
                "id": 702,
                "name": "test",
                "status": "completed",
                "conclusion": "failure",
                "steps": [{"name": "pytest", "conclusion": "failure"}, {"name": "setup", "conclusion": "success"}],
            },
        ],
        70: [{"id": 703, "name": "lint", "status": "completed", "conclusion": "success", "steps": []}],
    },
    "logs": {701: "all good\n", 702: "".join(f"line {n}\n" for n in range(50_000)), 703: "fine\n"},
}
REPOSITORIES = {
    "Octo/Shop": SHOP,
    "octo/secret": {"files": {"plan.txt": "checkout plan"}, "issues": [issue(1, "checkout secret")]},
    "labs/one": {"files": {"x.py": "checkout one"}, "issues": [issue(3, "checkout of labs")]},
}


def tools(url: str, repositories: str, **more: str) -> dict[str, str]:
    """A tool for each operation that reads."""
    block = "".join(f", {name}: {value}" for name, value in more.items())
    return {
        operation.replace("_", "-"): f"type: github\ndescription: Reads\n"
        f'github: {{operation: {operation}, url: "{url}", repositories: {repositories}, allowPrivateAddresses: true, '
        f"tokenSecretRef: {{name: github, key: token}}{block}}}"
        for operation, entry in ENTRIES.items()
        if not entry.is_changing
    }


def _tokens(names: dict[str, str]) -> dict[str, str]:
    return {f"KAGENT_TOOL_{name.replace('-', '_').upper()}_TOKEN": TOKEN for name in names}


@pytest.fixture
def github() -> Iterator[GithubApiServer]:
    with GithubApiServer(REPOSITORIES) as server:
        yield server


@pytest.fixture
def bench(github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Granted is one repository."""
    specs = tools(github.api, "[octo/shop]")
    for name, value in _tokens(specs).items():
        monkeypatch.setenv(name, value)
    return Bench(tmp_path / "one", specs)


@pytest.fixture
def wide(github: GithubApiServer, tmp_path: Path, bench: Bench) -> Bench:
    """Granted is one repository and all of an owner."""
    return Bench(tmp_path / "wide", tools(github.api, "[octo/shop, labs/*]"))


async def test_files_and_folders(bench: Bench, github: GithubApiServer) -> None:
    assert await bench.gets("read-file", path="README.md") == "# Shop\nread me\n"
    assert await bench.gets("read-file", path="/src/a b#c.txt", ref="main", repository="OCTO/shop") == "odd name"
    assert await bench.gets("read-file", path="src/data.json") == '[{"a": 1}]'
    listed = (await bench.gets("read-file", path="src")).split("\n")
    assert [line.split()[-1] for line in listed[:3]] == ["PATH", "src/app.py", "src/data.json"]
    assert "README.md" in await bench.gets("read-file")
    text = await bench.gets("read-file", path="large.txt")
    assert text.endswith("[… cut after 65,536 bytes; narrow the request to see the rest …]")
    assert "No commit found for the ref v9" in await bench.fails("read-file", path="README.md", ref="v9")
    assert github.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert github.requests[0].headers["x-github-api-version"] == "2022-11-28"


@pytest.mark.parametrize("path", ["../secret/contents/plan.txt", "src/../../x", "./x", "..", "a\\..\\b", "a\nb"])
async def test_no_path_leaves_the_repository(path: str, bench: Bench, github: GithubApiServer) -> None:
    assert "is not a path in a repository" in await bench.fails("read-file", path=path)
    assert github.requests == []


@pytest.mark.parametrize(
    "repository",
    [
        "octo/secret",
        "octo/shop2",
        "labs/one",
        "octo",
        "octo/shop/../secret",
        "octo/..",
        "octo/shop?x=",
        "octo%2Fsecret",
    ],
)
async def test_no_other_repository_is_read(repository: str, bench: Bench, github: GithubApiServer) -> None:
    for name in ("read-file", "list-issues", "list-pull-requests", "list-runs"):
        assert "is not granted" in await bench.fails(name, repository=repository)
    for name in ("search-code", "search-issues"):
        assert "is not granted" in await bench.fails(name, repository=repository, query="checkout")
    assert github.requests == []


async def test_one_of_several_repositories_has_to_be_named(wide: Bench, github: GithubApiServer) -> None:
    schemas = {schema["name"]: schema for schema in await wide.workbench.list_tools()}
    parameters = schemas["get-issue"]["parameters"]
    assert sorted(parameters["required"]) == ["number", "repository"]
    assert parameters["properties"]["repository"]["description"].endswith("it may be octo/shop, labs/*")
    assert await wide.fails("list-issues") == "the argument `repository` is required"
    assert "#3" in await wide.gets("list-issues", repository="LABS/one")
    assert "is not granted" in await wide.fails("list-issues", repository="labs2/one")


async def test_searches_stay_in_what_is_granted(bench: Bench, wide: Bench, github: GithubApiServer) -> None:
    assert (await bench.gets("search-code", query="checkout")).split("\n")[1].split() == ["Octo/Shop", "src/app.py"]
    found = await wide.gets("search-code", query="checkout")
    assert ("labs/one" in found, "octo/secret" in found) == (True, False)
    text = await wide.gets("search-issues", query="checkout", state="all")
    assert ("checkout of labs" in text, "checkout fails" in text, "secret" in text) == (True, True, False)
    assert "secret" not in await wide.gets("search-issues", query="checkout", repository="labs/one")
    assert "Fix checkout" in await bench.gets("search-issues", query="checkout", kind="pull_request")
    sent = github.requests[-1].query_params["q"]
    assert sent == "checkout repo:octo/shop is:pr state:open"
    count = len(github.requests)
    for query in (
        "x repo:octo/secret",
        "x OR REPO:octo/secret",
        "(user:octo)",
        "-org:octo",
        'x "repo:a/b"',
        "owner: octo",
    ):
        assert "leave out" in await wide.fails("search-code", query=query)
    assert len(github.requests) == count


async def test_issues(bench: Bench) -> None:
    text = await bench.gets("get-issue", number=1)
    assert text.startswith("#1 checkout fails\nopen | ada | opened 2026-01-01T00:00:00Z\n\nbody of 1\n\n--- ada, ")
    assert text.count("comment ") == 30
    assert text.endswith("[… 5 more comments …]")
    assert "there is no such thing" in await bench.fails("get-issue", number=999)
    assert await bench.fails("get-issue", number=0) == "`number` must be positive"
    rows = (await bench.gets("list-issues", labels="bug,urgent")).split("\n")
    assert rows[1].split() == ["#1", "open", "2026-01-03", "ada", "bug,urgent", "checkout", "fails"]
    assert "Fix checkout" not in await bench.gets("list-issues", limit=100)
    assert "checkout is slow" in await bench.gets("list-issues", state="closed")


async def test_pages_are_read_until_there_are_enough(bench: Bench, github: GithubApiServer) -> None:
    assert len((await bench.gets("list-issues")).split("\n")) == 31
    assert [r.query_params["per_page"] for r in github.requests] == ["30"]
    assert len((await bench.gets("list-issues", limit=100)).split("\n")) == 101
    assert [(r.query_params["per_page"], r.query_params["page"]) for r in github.requests[1:]] == [
        ("50", "1"),
        ("50", "2"),
    ]
    assert len((await bench.gets("list-issues", limit=5000)).split("\n")) == 101


async def test_pull_requests(bench: Bench) -> None:
    assert "#6" not in await bench.gets("list-pull-requests", base="main")
    assert "#7" in await bench.gets("list-pull-requests", state="closed")
    text = await bench.gets("get-pull-request", number=5)
    assert "open | ada | ada:fix -> main | +1 -1 in 1 files" in text
    assert text.endswith("modified app.py +1 -1\n@@ -1 +1 @@\n-a\n+b")
    assert "merged | ada" in await bench.gets("get-pull-request", number=7)


async def test_runs_and_the_end_of_their_logs(bench: Bench, github: GithubApiServer) -> None:
    rows = (await bench.gets("list-runs", status="failure")).split("\n")
    assert [row.split()[:2] for row in rows[1:]] == [["71", "failure"], ["73", "failure"]]
    text = await bench.gets("get-run-logs", run=71)
    assert "failure   test   pytest" in text
    assert "--- log of job test\n[… only the end is shown …]\nline " in text
    assert text.rstrip().endswith("line 49999")
    assert "line 100\n" not in text
    assert len(text) < 70_000
    assert (await bench.gets("get-run-logs", run=71, job="lint")).endswith("all good\n")
    assert (await bench.gets("get-run-logs", run=70)).endswith("No job failed; name one to read its log.")
    assert await bench.fails("get-run-logs", run=71, job="x") == "the run has no job `x`; it has: lint, test"


async def test_logs_are_not_fetched_from_the_inside(bench: Bench, github: GithubApiServer) -> None:
    with Trap() as trap:
        for location in (f"http://127.0.0.1:{trap.port}/", "http://169.254.169.254/", "http://vault/v1/secret"):
            github.log_location = location
            await bench.fails("get-run-logs", run=71)
        assert trap.connections == 0


async def test_a_repository_that_moved_is_not_followed(github: GithubApiServer, tmp_path: Path, bench: Bench) -> None:
    """It may have moved to a repository that is not granted."""
    renamed = Bench(tmp_path / "renamed", tools(github.api, "[octo/renamed]"))
    assert "redirects to 127.0.0.1, which is not followed" in await renamed.fails("list-issues")


async def test_errors(bench: Bench, github: GithubApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGENT_TOOL_LIST_ISSUES_TOKEN", "ghp_wrong_9876543210")
    text = await bench.fails("list-issues")
    assert text == "GitHub answered 401: Bad credentials; the token is not accepted"
    monkeypatch.delenv("KAGENT_TOOL_LIST_ISSUES_TOKEN")
    assert await bench.fails("list-issues") == "the credential KAGENT_TOOL_LIST_ISSUES_TOKEN is not set"


async def test_what_is_not_githubs_api(tmp_path: Path, bench: Bench, github: GithubApiServer) -> None:
    wrong = Bench(tmp_path / "wrong", tools(f"{github.origin}/api/v4", "[octo/shop]"))
    assert await wrong.fails("list-issues") == (
        "GitHub answered 404: Not Found; there is no such thing, or the token may not read it"
    )


def test_through_the_runtime_and_only_where_the_network_policy_leads(github: GithubApiServer, tmp_path: Path) -> None:
    specs = tools(github.api, "[octo/shop]")
    with ModelServer(puppet()) as model:
        config, workload = compiled(tmp_path / "specs", specs, model.base_url)
        with Runtime(config, tmp_path / "run", **_tokens(specs)) as runtime:
            calls = [
                {"name": "read-file", "arguments": {"path": "README.md"}},
                {"name": "read-file", "arguments": {"path": "plan.txt", "repository": "octo/secret"}},
            ]
            events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": calls}, {"text": "ok"}]))
            runtime.process.terminate()
            log = runtime.wait_stderr()
        model_port = urlsplit(model.base_url).port
    results = [(e["content"], e["isError"]) for e in events if e["type"] == "tool.result"]
    assert ("# Shop\nread me\n", False) in results
    assert [text for text, is_error in results if is_error] == [
        "`octo/secret` is not granted; read-file may read octo/shop"
    ]
    assert TOKEN not in log + json.dumps(events)
    assert {request.headers["host"] for request in github.requests} == {f"127.0.0.1:{github.port}"}
    rendered = {item for item in endpoints(workload) if item.port != model_port}
    assert rendered == {Endpoint("127.0.0.1", github.port, "http", is_private=True)}


def test_logs_of_github_com_have_their_own_endpoints(tmp_path: Path) -> None:
    """Where github.com redirects to; only for the operation that reads logs."""
    spec = "type: github\ndescription: Reads\ngithub: {operation: %s, repositories: [octo/shop]}"
    _, workload = compiled(tmp_path / "a", {"t": spec % "get_run_logs"})
    hosts = {item.host for item in endpoints(workload)}
    assert hosts == {"api.github.com", "*.actions.githubusercontent.com", "*.blob.core.windows.net"}
    _, workload = compiled(tmp_path / "b", {"t": spec % "read_file"})
    assert {item.host for item in endpoints(workload)} == {"api.github.com"}
