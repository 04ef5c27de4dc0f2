"""github tools that change something, against GitHub's API in its published shapes: nothing but what was approved."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kagent_render.catalog.base import Endpoint
from kagent_render.catalog.tools.github_operations import ENTRIES
from kagent_render.compiler import compile_paths
from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.component_tree import _repeatable
from kagent_runtime.components.gate import Previewing
from tests.edge.github_api import READ_TOKEN, TOKEN, GithubApiServer, issue, pull
from tests.edge.github_git import GitStore
from tests.edge.http_target import Trap
from tests.edge.model_server import ModelServer
from tests.runtime.benches import Bench, compiled, endpoints
from tests.runtime.process import Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.test_approvals import decide, wait_for

SHOP: dict[str, Any] = {
    "private": True,
    "files": {
        "README.md": "# Shop\nread me\n",
        "run.sh": "#!/bin/sh\necho 1\n",
        "docs/a.md": "one\ntwo\nthree\n",
        "docs/deep/b.md": "b",
        "logo.png": "\x00\x01",
        "link": "docs/a.md",
        ".github/workflows/ci.yml": "on: push\n",
    },
    "modes": {"run.sh": "100755", "link": "120000"},
    "labels": ["bug", "needs triage"],
    "protected": ["agent/release"],
    "issues": [issue(1, "checkout fails"), issue(2, "heated", locked=True)],
    "pulls": [pull(5, "Fix checkout"), pull(6, "Mine", user={"login": "agent"})],
}
REPOSITORIES = {"Octo/Shop": SHOP, "octo/quiet": {"without_issues": True, "files": {"a": "a"}}}
CALLS: dict[str, dict[str, Any]] = {
    "create-issue": {"title": "Checkout fails", "body": "Since **noon**.", "labels": "bug, needs triage"},
    "add-comment": {"number": 1, "body": "Seen."},
    "create-branch": {"branch": "agent/new"},
    "commit-files": {
        "branch": "agent/fix",
        "message": "Fix the docs",
        "files": [{"path": "docs/a.md", "content": "one\n2\nthree\n"}, {"path": "docs/new.md", "content": "new\n"}],
    },
    "create-pull-request": {"title": "Fix it", "head": "agent/fix", "body": "Because."},
    "review-pull-request": {"number": 5, "event": "REQUEST_CHANGES", "body": "No tests."},
}


def tools(url: str, more: dict[str, str] | None = None, repositories: str = "[octo/shop]") -> dict[str, str]:
    """A tool for each operation that changes something; `more` is added to the block of one."""
    return {
        name: f"type: github\ndescription: Writes\ngithub: {{operation: {name.replace('-', '_')}, "
        f'url: "{url}", repositories: {repositories}, allowPrivateAddresses: true, '
        f"tokenSecretRef: {{name: github, key: token}}{(more or {}).get(name, '')}}}"
        for name in CALLS
    }


def _tokens(names: dict[str, Any], token: str = TOKEN) -> dict[str, str]:
    return {f"KAGENT_TOOL_{name.replace('-', '_').upper()}_TOKEN": token for name in names}


@pytest.fixture
def github() -> Iterator[GithubApiServer]:
    with GithubApiServer(copy.deepcopy(REPOSITORIES)) as server:
        git = server.repository("octo/shop")["git"]
        git.put("agent/fix", "Begin a fix", docs__begun="begun\n")
        git.put("agent/release", "Release", docs__release="1\n")
        git.refs["tags/v1"] = git.refs["heads/main"]
        yield server


@pytest.fixture
def git(github: GithubApiServer) -> GitStore:
    store: GitStore = github.repository("octo/shop")["git"]
    return store


@pytest.fixture
def bench(github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return made(github, tmp_path / "bench", monkeypatch)


def made(
    github: GithubApiServer, folder: Path, monkeypatch: pytest.MonkeyPatch, token: str = TOKEN, **more: str
) -> Bench:
    """A workbench; `more` is what is added to the block of a tool, its name with `_`."""
    for name, value in _tokens(CALLS, token).items():
        monkeypatch.setenv(name, value)
    return Bench(folder, tools(github.api, {name.replace("_", "-"): text for name, text in more.items()}))


async def preview(bench: Bench, name: str, /, **arguments: Any) -> str:
    """What a person is shown."""
    assert isinstance(bench.workbench, Previewing)
    text, is_error = await bench.workbench.preview(name, arguments, None)
    assert not is_error, text
    return text or ""


async def refused(bench: Bench, name: str, /, **arguments: Any) -> str:
    """Why nobody is asked about a call; it is not made without asking either."""
    assert isinstance(bench.workbench, Previewing)
    text, is_error = await bench.workbench.preview(name, arguments, None)
    assert is_error, text
    assert await bench.fails(name, **arguments) == text
    return text or ""


@contextmanager
def approved(shown: str) -> Iterator[None]:
    """As if a person had approved what was shown."""
    token = APPROVED_PREVIEW.set(shown)
    try:
        yield
    finally:
        APPROVED_PREVIEW.reset(token)


def writes(github: GithubApiServer) -> list[str]:
    """The requests that were not for reading."""
    return [f"{r.method} {r.url.path.partition('/octo/shop')[2]}" for r in github.requests if r.method != "GET"]


async def test_an_issue(bench: Bench, github: GithubApiServer) -> None:
    shown = await preview(bench, "create-issue", **CALLS["create-issue"])
    assert shown.splitlines() == [
        "open an issue in octo/shop",
        "labels: bug, needs triage",
        "title: Checkout fails",
        "text:",
        "Since **noon**.",
    ]
    assert writes(github) == []
    with approved(shown):
        text = await bench.gets("create-issue", **CALLS["create-issue"])
    assert text == "opened issue #901 of octo/shop: https://github.com/Octo/Shop/issues/901"
    (new,) = github.repository("octo/shop")["made"]
    assert (new["body"], [label["name"] for label in new["labels"]]) == ("Since **noon**.", ["bug", "needs triage"])
    assert "has no label `buq`, `ops`" in await refused(bench, "create-issue", title="x", labels="buq,bug,ops")
    assert "one line of at most 256" in await refused(bench, "create-issue", title="a\nb")
    assert len(github.repository("octo/shop")["made"]) == 1


async def test_issues_that_are_turned_off(
    github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    quiet = Bench(tmp_path / "quiet", tools(github.api, repositories="[octo/quiet]"))
    assert "they are turned off" in await refused(quiet, "create-issue", title="x")


async def test_a_comment_says_where_it_goes(bench: Bench, github: GithubApiServer) -> None:
    shown = await preview(bench, "add-comment", number=1, body="Seen.")
    assert shown == "comment on issue #1 of octo/shop (open): checkout fails\ntext:\nSeen."
    shown = await preview(bench, "add-comment", number=5, body="x" * 32_000)
    assert shown.startswith("comment on pull request #5 of octo/shop (open): Fix checkout\ntext:\nxxx")
    assert shown.endswith("x" * 32_000), "the whole text is shown"
    with approved(shown):
        await bench.gets("add-comment", number=5, body="x" * 32_000)
    assert github.repository("octo/shop")["commented"] == [(5, "x" * 32_000)]
    assert "there is no such thing" in await refused(bench, "add-comment", number=99, body="x")
    text = await bench.fails("add-comment", number=2, body="x")
    assert text.startswith("GitHub answered 403: Unable to create comment because issue is locked.")


async def test_what_cannot_be_seen_is_written_out(bench: Bench) -> None:
    """A text with bidirectional controls reads otherwise than it is."""
    shown = await preview(bench, "add-comment", number=1, body="abc\u202edcba\u200b grün")
    assert shown.endswith("text:\nabc\\u{202e}dcba\\u{200b} grün")


async def test_a_branch(bench: Bench, git: GitStore) -> None:
    main, fix = git.refs["heads/main"], git.refs["heads/agent/fix"]
    shown = await preview(bench, "create-branch", branch="agent/new")
    assert shown == f"create branch agent/new in octo/shop\nat main: {main} (Start the shop)"
    with approved(shown):
        assert main in await bench.gets("create-branch", branch="agent/new")
    assert git.refs["heads/agent/new"] == main
    for start, sha in (("agent/fix", fix), ("v1", main), (main, main)):
        assert f"at {start}: {sha} (" in await preview(bench, "create-branch", branch="agent/x", **{"from": start})
    assert "is there already, at" in await refused(bench, "create-branch", branch="agent/new")
    assert "no branch or tag `v9`" in await refused(bench, "create-branch", branch="agent/x", **{"from": "v9"})


async def test_no_branch_starts_at_what_the_repository_does_not_contain(bench: Bench, git: GitStore) -> None:
    """GitHub has the commits of forks too: with their workflows they would run with the repository's secrets."""
    main = git.refs["heads/main"]
    tree = git.edited(
        git.commits[main]["tree"],
        [{"path": ".github/workflows/x.yml", "mode": "100644", "sha": git.add_blob(b"on: push")}],
    )
    foreign = git.add_commit("Steal", tree, [main])
    git.refs["pull/7/head"] = foreign
    for start in (foreign, "pull/7/head", "refs/pull/7/head", "main~1", "HEAD@{1}", "main:docs"):
        await refused(bench, "create-branch", branch="agent/x", **{"from": start})
    assert "heads/agent/x" not in git.refs


async def test_a_branch_that_moved_since_it_was_approved(bench: Bench, git: GitStore, github: GithubApiServer) -> None:
    shown = await preview(bench, "create-branch", branch="agent/new")
    moved = git.put("main", "Meanwhile", other="x")
    with approved(shown):
        text = await bench.fails("create-branch", branch="agent/new")
    assert text == (
        "not done: the repository has changed since this was approved. It would now be:\n"
        f"create branch agent/new in octo/shop\nat main: {moved} (Meanwhile)"
    )
    assert writes(github) == []


async def test_one_commit_with_what_was_shown(bench: Bench, git: GitStore, github: GithubApiServer) -> None:
    head = git.refs["heads/agent/fix"]
    arguments = {
        "branch": "agent/fix",
        "message": "Fix the docs\n\nThey were wrong.",
        "files": [
            {"path": "docs/a.md", "content": "one\n2\nthree"},
            {"path": "docs/new/empty", "content": ""},
            {"path": "run.sh", "content": "#!/bin/sh\necho 2\n", "delete": False},
            {"path": "docs/begun", "delete": True},
            {"path": "README.md", "content": "# Shop\nread me\n"},
            {"path": "logo.png", "content": "text\n"},
        ],
    }
    shown = await preview(bench, "commit-files", **arguments)
    assert shown == EXPECTED.replace("HEAD", head)
    assert writes(github) == []
    with approved(shown):
        text = await bench.gets("commit-files", **arguments)
    sha = git.refs["heads/agent/fix"]
    assert text == f"committed {sha} to agent/fix of octo/shop: 5 files"
    assert (git.commits[sha]["parents"], git.commits[sha]["message"]) == ([head], arguments["message"])
    files = git.texts("heads/agent/fix")
    assert files["docs/a.md"] == "one\n2\nthree"
    assert files["docs/new/empty"] == ""
    assert "docs/begun" not in files
    assert files["README.md"] == "# Shop\nread me\n"
    modes = dict(git.files(git.commits[sha]["tree"]))
    assert (modes["run.sh"][0], modes["link"][0]) == ("100755", "120000")
    assert writes(github) == [
        *["POST /git/blobs"] * 4,
        "POST /git/trees",
        "POST /git/commits",
        "PATCH /git/refs/heads/agent/fix",
    ]
    assert "nothing would change" in await refused(
        bench,
        "commit-files",
        branch="agent/fix",
        message="x",
        files=[{"path": "docs/a.md", "content": "one\n2\nthree"}],
    )


EXPECTED = """\
commit to branch agent/fix of octo/shop
parent: HEAD (Begin a fix)

message:
Fix the docs

They were wrong.

change docs/a.md (11 bytes, blob a623a0b003e0a9d68f0cffe69882989f57df4d00)
--- a/docs/a.md
+++ b/docs/a.md
@@ -1,3 +1,3 @@
 one
-two
-three
+2
+three
\\ No newline at end of file

create docs/new/empty (0 bytes, blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391)


change run.sh (17 bytes, blob 77bfbb0742e004579dff8888eaaddab2a5375751)
--- a/run.sh
+++ b/run.sh
@@ -1,2 +1,2 @@
 #!/bin/sh
-echo 1
+echo 2

delete docs/begun
--- a/docs/begun
+++ /dev/null
@@ -1 +0,0 @@
-begun

unchanged README.md: it is so already

change logo.png (5 bytes, blob 8e27be7d6154a1f68ea9160ef0e18691d20560dc)
(what it holds now is not text, or is too long to be shown)"""


async def test_a_head_that_moved_is_refused_with_what_it_would_be_now(
    bench: Bench, git: GitStore, github: GithubApiServer
) -> None:
    """Somebody else's commit is neither lost nor built upon unseen."""
    shown = await preview(bench, "commit-files", **CALLS["commit-files"])
    moved = git.put("agent/fix", "Another hand", docs__a_md="x", docs__other="y\n")
    with approved(shown):
        text = await bench.fails("commit-files", **CALLS["commit-files"])
    assert text.startswith("not done: the repository has changed since this was approved. It would now be:\ncommit to ")
    assert f"parent: {moved} (Another hand)" in text
    assert (writes(github), git.refs["heads/agent/fix"]) == ([], moved)
    # With the new preview it goes.
    with approved(await preview(bench, "commit-files", **CALLS["commit-files"])):
        await bench.gets("commit-files", **CALLS["commit-files"])
    assert git.commits[git.refs["heads/agent/fix"]]["parents"] == [moved]


async def test_a_head_that_moves_at_the_last_moment(bench: Bench, git: GitStore, github: GithubApiServer) -> None:
    """Between the last look and the update of the branch, which is never forced."""
    github.before["PATCH"] = lambda: git.put("agent/fix", "Another hand", docs__other="y\n")
    text = await bench.fails("commit-files", **CALLS["commit-files"])
    moved = git.refs["heads/agent/fix"]
    assert text.startswith("not done: the branch has moved meanwhile. It would now be:\ncommit to branch agent/fix of ")
    assert f"parent: {moved} (Another hand)" in text
    assert git.commits[moved]["message"] == "Another hand"
    assert writes(github)[-1] == "PATCH /git/refs/heads/agent/fix"


async def test_a_protected_branch(bench: Bench, git: GitStore) -> None:
    head = git.refs["heads/agent/release"]
    text = await bench.fails("commit-files", **CALLS["commit-files"] | {"branch": "agent/release"})
    assert text == (
        "not done: GitHub answered 422: Changes must be made through a pull request.; "
        "the branch may be protected; commit to another one and open a pull request"
    )
    assert git.refs["heads/agent/release"] == head


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], "`files` must have 1 to 20 items, not 0"),
        ([{"path": f"f{n}", "content": ""} for n in range(21)], "not 21"),
        ("docs/a.md", "`files` must be of type array"),
        (["docs/a.md"], "`files[0]` must be an object of: path, content, delete"),
        ([{"content": "x"}], "`files[0].path` is required"),
        ([{"path": "a", "content": 1}], "`files[0].content` must be of type string"),
        ([{"path": "a", "text": "x"}], "must be an object of"),
        ([{"path": "a"}], "`a` needs either its `content` or `delete: true`"),
        ([{"path": "a", "content": "", "delete": True}], "needs either"),
        ([{"path": "a", "content": "x"}, {"path": "a", "content": "y"}], "`a` is given twice"),
        ([{"path": "a", "content": "x"}, {"path": "a/b", "content": "y"}], "cannot be both a file and a folder"),
        ([{"path": "nowhere", "delete": True}], "cannot be deleted: there is no such file"),
        ([{"path": "docs", "content": "x"}], "is a folder, a link or a submodule"),
        ([{"path": "link", "content": "x"}], "is a folder, a link or a submodule"),
        ([{"path": "link/x", "content": "x"}], "`link` is not a folder on the branch"),
        ([{"path": "README.md/x", "content": "x"}], "`README.md` is not a folder on the branch"),
    ],
)
async def test_files_that_make_no_commit(
    bench: Bench, git: GitStore, github: GithubApiServer, files: Any, told: str
) -> None:
    text = await refused(bench, "commit-files", branch="agent/fix", message="x", files=files)
    assert told in text
    assert writes(github) == []


@pytest.mark.parametrize(
    "path",
    [
        "../x", "docs/../.github/workflows/x.yml", "./x", "/x", "docs//x", "docs/", "", "a\\b", ".git/config",
        "docs/.GIT/hooks/x", "git~1/config", "a\nb", "a\x00", ".g\u200cit/config", "docs/\u202ex",
        ".github/workflows/ci.yml", ".github/workflows/new/x.yml", ".GitHub/Workflows/ci.yml",
    ],
)  # fmt: skip
async def test_paths_that_are_never_written(path: str, bench: Bench, github: GithubApiServer) -> None:
    """Not out of the repository, not into Git's own files, and no workflow that nobody named."""
    for file in ({"path": path, "content": "x"}, {"path": path, "delete": True}):
        await refused(bench, "commit-files", branch="agent/fix", message="x", files=[file])
    assert [r.url.path for r in github.requests if "/git/" in r.url.path] == []


@pytest.mark.parametrize(
    ("globs", "yes", "no"),
    [
        ("[docs/**]", ["docs/a.md", "docs/x/y/z"], ["docs", "docsx/a", "x/docs/a", "README.md"]),
        ("[docs/*]", ["docs/a.md"], ["docs/x/y"]),
        ("['**/*.md', run.sh]", ["x.md", "docs/deep/x.md", "run.sh"], ["run.sh/x", "xrun.sh", "x.mdx"]),
        ("['**']", ["anything/at/all"], [".github/workflows/ci.yml"]),
        ("['.github/**']", [".github/dependabot.yml"], [".github/workflows/ci.yml", "README.md"]),
        ("[.github/workflows/docs-*.yml]", [".github/workflows/docs-x.yml"], [".github/workflows/ci.yml", "README.md"]),
        ("[v?/a.b]", ["v1/a.b"], ["v/a.b", "v1/axb", "v12/a.b"]),
    ],
)
async def test_files_are_held_to_the_globs(
    globs: str,
    yes: list[str],
    no: list[str],
    github: GithubApiServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = made(github, tmp_path, monkeypatch, commit_files=f", paths: {globs}")
    for path in yes:
        await preview(bench, "commit-files", branch="agent/fix", message="x", files=[{"path": path, "content": "?"}])
    for path in no:
        text = await refused(
            bench, "commit-files", branch="agent/fix", message="x", files=[{"path": path, "content": "?"}]
        )
        assert text.startswith(f"`{path}` is not granted; commit-files may write ")


async def test_branches_are_held_to_the_globs(
    github: GithubApiServer, git: GitStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked; and a wildcard does not grant the default branch."""
    file = {"message": "x", "files": [{"path": "a", "content": "a"}]}
    bench = made(github, tmp_path / "a", monkeypatch, **dict.fromkeys(
        ("commit_files", "create_branch", "create_pull_request"), ", branches: [agent/*]"
    ))  # fmt: skip
    for branch in ("main", "agent", "agent/x/y", "agents/x", "Agent/x"):
        expected = f"`{branch}` is not granted; "
        assert (await refused(bench, "commit-files", branch=branch, **file)).startswith(expected)
        assert (await refused(bench, "create-branch", branch=branch)).startswith(expected)
        assert (await refused(bench, "create-pull-request", head=branch, title="x")).startswith(expected)
    assert github.requests == []
    await preview(bench, "commit-files", branch="agent/fix", **file)
    wide = made(github, tmp_path / "b", monkeypatch, commit_files=", branches: ['**']")
    assert "`main` is the default branch" in await refused(wide, "commit-files", branch="main", **file)
    await preview(wide, "commit-files", branch="agent/fix", **file)
    named = made(github, tmp_path / "c", monkeypatch, commit_files=", branches: [main]")
    assert "commit to branch main" in await preview(named, "commit-files", branch="main", **file)
    assert "is not granted" in await refused(named, "commit-files", branch="agent/fix", **file)


async def test_the_default_branch_is_asked_for_and_left_alone(bench: Bench, git: GitStore) -> None:
    head = git.refs["heads/main"]
    file = {"message": "x", "files": [{"path": "a", "content": "a"}]}
    told = "`main` is the default branch, which commit-files may not write to; write to another branch and open a pull"
    assert told in await refused(bench, "commit-files", branch="main", **file)
    assert "default branch" in await refused(bench, "create-pull-request", head="main", base="agent/fix", title="x")
    assert "default branch" in await refused(bench, "create-branch", branch="main")
    assert git.refs["heads/main"] == head
    assert "create it first" in await refused(bench, "commit-files", branch="agent/none", **file)


@pytest.mark.parametrize(
    "branch",
    ["", "a b", "a..b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "-a", "a~1", "a^", "a:b", "a?", "a*",
     "a[", "a\\b", "a@{1}", "@", "refs/heads/main", "a\n", "a\u202eb", "ada:fix", "x" * 300],
)  # fmt: skip
async def test_names_that_are_no_branches(branch: str, bench: Bench, github: GithubApiServer) -> None:
    for name, argument in (("create-branch", "branch"), ("create-pull-request", "head")):
        await refused(bench, name, **{"title": "x", argument: branch} if argument == "head" else {argument: branch})
    assert writes(github) == []


async def test_a_pull_request(bench: Bench, git: GitStore, github: GithubApiServer) -> None:
    head = git.refs["heads/agent/fix"]
    shown = await preview(bench, "create-pull-request", **CALLS["create-pull-request"])
    assert shown.splitlines() == [
        "open a pull request in octo/shop",
        "from agent/fix into main",
        f"at {head}, commits: 1",
        f"  {head[:12]} Begin a fix",
        "files: 1",
        "  added docs/begun",
        "title: Fix it",
        "text:",
        "Because.",
    ]
    moved = git.put("agent/fix", "More", docs__more="more\n")
    with approved(shown):
        text = await bench.fails("create-pull-request", **CALLS["create-pull-request"])
    assert f"at {moved}, commits: 2" in text
    assert writes(github) == []
    shown = await preview(bench, "create-pull-request", draft=True, **CALLS["create-pull-request"])
    assert shown.startswith("open a draft pull request")
    with approved(shown):
        text = await bench.gets("create-pull-request", draft=True, **CALLS["create-pull-request"])
    assert text == "opened pull request #801 of octo/shop: https://github.com/Octo/Shop/pull/801"
    (sent,) = github.repository("octo/shop")["opened"]
    assert {name: sent[name] for name in ("head", "base", "draft", "title", "body")} == {
        "head": "agent/fix", "base": "main", "draft": True, "title": "Fix it", "body": "Because."
    }  # fmt: skip


async def test_pull_requests_that_cannot_be(bench: Bench, git: GitStore, github: GithubApiServer) -> None:
    """They are refused before a person is asked."""
    git.refs["heads/agent/same"] = git.refs["heads/main"]
    assert "has no commits that `main`" in await refused(bench, "create-pull-request", head="agent/same", title="x")
    assert "no branch `agent/no`" in await refused(bench, "create-pull-request", head="agent/no", title="x")
    assert "no such thing" in await refused(bench, "create-pull-request", head="agent/fix", base="no", title="x")
    there = pull(8, "There", head={"label": "octo:agent/fix", "ref": "agent/fix"})
    github.repository("octo/shop")["pulls"].append(there)
    assert "already: #8" in await refused(bench, "create-pull-request", head="agent/fix", title="x")


async def test_a_review_is_of_the_commit_that_was_shown(bench: Bench, github: GithubApiServer) -> None:
    shown = await preview(bench, "review-pull-request", **CALLS["review-pull-request"])
    assert shown.splitlines() == [
        "review pull request #5 of octo/shop (open): Fix checkout",
        f"by ada, ada:fix -> main, at {'5' * 40}",
        "as: REQUEST_CHANGES",
        "text:",
        "No tests.",
    ]
    with approved(shown):
        assert "(CHANGES_REQUESTED)" in await bench.gets("review-pull-request", **CALLS["review-pull-request"])
    ((number, sent),) = github.repository("octo/shop")["reviewed"]
    assert (number, sent["commit_id"], sent["event"]) == (5, "5" * 40, "REQUEST_CHANGES")
    github.repository("octo/shop")["pulls"][0]["head"]["sha"] = "6" * 40
    with approved(shown):
        assert f"at {'6' * 40}" in await bench.fails("review-pull-request", **CALLS["review-pull-request"])
    assert len(github.repository("octo/shop")["reviewed"]) == 1


async def test_a_review_approves_only_where_the_spec_says_so(
    bench: Bench, github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve = {"event": "APPROVE", "body": "Fine."}
    text = await refused(bench, "review-pull-request", number=5, **approve)
    assert text == "`event` must be one of: COMMENT, REQUEST_CHANGES"
    assert github.requests == []
    may = made(github, tmp_path / "may", monkeypatch, review_pull_request=", mayApprove: true")
    assert "(APPROVED)" in await may.gets("review-pull-request", number=5, **approve)
    text = await may.fails("review-pull-request", number=6, **approve)
    assert text == "GitHub answered 422: Unprocessable Entity; Can not approve your own pull request"


async def test_a_config_without_the_narrowed_arguments_is_held_to_the_spec_too(bench: Bench) -> None:
    """The runtime does not rely on what the model was told."""
    (component,) = bench.workload.runtime_config["component"]["config"]["workbench"]
    (tool,) = [item for item in component["config"]["tools"] if item["name"] == "review-pull-request"]
    assert "may_approve" not in tool
    tool["parameters"]["properties"]["event"].pop("enum")
    loose = type(bench.workbench).load_component(component)
    result = await loose.call_tool("review-pull-request", {"number": 5, "event": "APPROVE", "body": "x"})
    assert (result.is_error, result.to_text()) == (
        True,
        "review-pull-request may not approve; `event` may be COMMENT or REQUEST_CHANGES",
    )


@pytest.mark.parametrize("name", CALLS)
async def test_a_token_that_may_only_read(
    name: str, github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is told so, and whoever made the token what it needs."""
    bench = made(github, tmp_path, monkeypatch, READ_TOKEN)
    text = await bench.fails(name, **CALLS[name])
    wanted = {"create-issue": "issues=write", "add-comment": "issues=write", "create-branch": "contents=write"}
    needed = wanted.get(name, "contents=write" if name == "commit-files" else "pull_requests=write")
    assert text.startswith("GitHub answered 403: Resource not accessible by personal access token; the token may not ")
    assert f"may not write this; it needs {needed}" in text
    assert READ_TOKEN not in text


@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_that_is_lost(name: str, bench: Bench, github: GithubApiServer) -> None:
    """It may have been done: it is said so, and not tried again."""
    github.lost.update({"PATCH"} if name == "commit-files" else {"POST"})
    text = await bench.fails(name, **CALLS[name])
    assert text.startswith("127.0.0.1 broke off: ")
    assert text.endswith("; it is unknown whether this was carried out: find out before you call it again")
    assert len(writes(github)) == (5 if name == "commit-files" else 1)


async def test_an_answer_that_is_lost_before_the_branch_is_touched(
    bench: Bench, github: GithubApiServer, git: GitStore
) -> None:
    """Then nothing has changed, which is what the model has to know."""
    head = git.refs["heads/agent/fix"]
    github.lost.add("POST")
    text = await bench.fails("commit-files", **CALLS["commit-files"])
    assert text == "GitHub broke off before the branch was touched; nothing was changed"
    assert (git.refs["heads/agent/fix"], writes(github)) == (head, ["POST /git/blobs"])


async def test_an_answer_that_comes_too_late(
    github: GithubApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = made(github, tmp_path, monkeypatch, add_comment=", timeoutSeconds: 1")
    github.delays["POST"] = 1.5
    text = await bench.fails("add-comment", **CALLS["add-comment"])
    assert text == (
        "no complete answer within 1 s; it is unknown whether this was carried out: find out before you call it again"
    )
    assert writes(github) == ["POST /issues/1/comments"]


async def test_the_token_is_never_published(
    bench: Bench, github: GithubApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in a comment nor in a file, should a model ever come to know it."""
    body = f"the token is {TOKEN}"
    assert (await preview(bench, "add-comment", number=1, body=body)).endswith("the token is [redacted]")
    assert "would publish the token" in await bench.fails("add-comment", number=1, body=body)
    files = [{"path": "a", "content": TOKEN}]
    assert TOKEN not in await preview(bench, "commit-files", branch="agent/fix", message="x", files=files)
    text = await bench.fails("commit-files", branch="agent/fix", message="x", files=files)
    assert "would publish the token" in text
    assert writes(github) == []


@pytest.mark.parametrize("name", CALLS)
async def test_a_change_is_not_sent_on(name: str, bench: Bench, github: GithubApiServer) -> None:
    """A repository that moved may have moved to where nothing is granted, and a redirect may lead inside."""
    with Trap() as trap:
        github.redirects = dict.fromkeys(("POST", "PATCH"), f"http://127.0.0.1:{trap.port}/")
        text = await bench.fails(name, **CALLS[name])
        assert text == "127.0.0.1 redirects to 127.0.0.1, which is not followed"
        assert (trap.connections, len(writes(github))) == (0, 1)


# docs.github.com: permissions required for fine-grained personal access tokens.
PERMISSIONS = {
    "GET ": "Metadata: read",
    "GET /git/ref/*": "Contents: read",
    "GET /git/commits/*": "Contents: read",
    "GET /git/trees/*": "Contents: read",
    "GET /git/blobs/*": "Contents: read",
    "GET /commits/*": "Contents: read",
    "GET /compare/*": "Contents: read",
    "GET /labels/*": "Issues: read",
    "GET /issues/1": "Issues: read",
    "GET /issues/5": "Pull requests: read",
    "GET /pulls": "Pull requests: read",
    "GET /pulls/5": "Pull requests: read",
    "POST /git/blobs": "Contents: write",
    "POST /git/trees": "Contents: write",
    "POST /git/commits": "Contents: write",
    "POST /git/refs": "Contents: write",
    "PATCH /git/refs/*": "Contents: write",
    "POST /issues": "Issues: write",
    "POST /issues/1/comments": "Issues: write",
    "POST /issues/5/comments": "Pull requests: write",
    "POST /pulls": "Pull requests: write",
    "POST /pulls/5/reviews": "Pull requests: write",
}
REQUESTS = {
    "create-issue": ["GET ", "GET /labels/*", "POST /issues"],
    "add-comment": ["GET /issues/1", "GET /issues/5", "POST /issues/1/comments", "POST /issues/5/comments"],
    "create-branch": ["GET ", "GET /commits/*", "GET /git/ref/*", "POST /git/refs"],
    "commit-files": [
        "GET ",
        "GET /git/blobs/*",
        "GET /git/commits/*",
        "GET /git/ref/*",
        "GET /git/trees/*",
        "PATCH /git/refs/*",
        "POST /git/blobs",
        "POST /git/commits",
        "POST /git/trees",
    ],
    "create-pull-request": ["GET ", "GET /compare/*", "GET /git/ref/*", "GET /pulls", "POST /pulls"],
    "review-pull-request": ["GET /pulls/5", "POST /pulls/5/reviews"],
}


@pytest.mark.parametrize("name", CALLS)
async def test_the_permissions_of_the_token_are_those_that_are_declared(
    name: str, bench: Bench, github: GithubApiServer
) -> None:
    """By the requests that an operation makes, and by GitHub's list of what each needs."""
    calls = [CALLS[name], *([CALLS[name] | {"number": 5}] if name == "add-comment" else [])]
    for arguments in calls:
        await bench.gets(name, **arguments)
    made = set()
    for request in github.requests:
        path = request.url.path.partition("/octo/shop")[2]
        path = re.sub(r"(/git/refs?|/git/\w+|/commits|/compare|/labels)/.*", r"\1/*", path)
        made.add(f"{request.method} {path}")
        assert request.headers["host"] == f"127.0.0.1:{github.port}"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["x-github-api-version"] == "2022-11-28"
    assert sorted(made) == REQUESTS[name]
    needed = {PERMISSIONS[request] for request in made} - {"Metadata: read"}
    needed = {one for one in needed if one.replace(": read", ": write") not in needed or one.endswith("write")}
    assert sorted(needed) == sorted(ENTRIES[name.replace("-", "_")].permissions)


def test_what_changes_something_is_approved_and_never_repeated(github: GithubApiServer, tmp_path: Path) -> None:
    read = "type: github\ndescription: Reads\ngithub: {operation: list_issues, repositories: [octo/shop]}"
    config, workload = compiled(tmp_path, tools(github.api) | {"list-issues": read})
    (bench,) = config["component"]["config"]["workbench"]
    assert _repeatable(bench) == ["list-issues"]
    assert config["agents"][0]["requiresApproval"] == list(CALLS)
    assert endpoints(workload) == {
        Endpoint("127.0.0.1", github.port, "http", is_private=True),
        Endpoint("api.github.com", 443, "https"),
    }


def test_through_the_runtime_with_a_persons_approval(github: GithubApiServer, git: GitStore, tmp_path: Path) -> None:
    """The person sees the diff; what is committed has the parent that was shown; the token is in nothing."""
    specs = tools(github.api)
    head = git.refs["heads/agent/fix"]
    with ModelServer(puppet()) as model:
        config, workload = compiled(tmp_path / "specs", specs, model.base_url)
        with Runtime(config, tmp_path / "run", **_tokens(specs)) as runtime:
            session = runtime.new_session()
            call = {"name": "commit-files", "arguments": CALLS["commit-files"]}
            runtime.send(session, task(solo=[{"tool_calls": [call]}, {"text": "Done."}]))
            (asked,) = wait_for(runtime, session, "approval.requested")
            assert f"parent: {head} (Begin a fix)" in asked["preview"]
            assert "-two\n+2\n" in asked["preview"]
            assert asked["arguments"] == CALLS["commit-files"]
            assert writes(github) == []
            decide(runtime, session, asked["callId"], "approve")
            events = runtime.wait_finished(session)
            # A second one, which somebody else is faster than.
            other = runtime.new_session()
            call = {
                "name": "commit-files",
                "arguments": CALLS["commit-files"] | {"files": [{"path": "z", "content": "z"}]},
            }
            runtime.send(other, task(solo=[{"tool_calls": [call]}, {"text": "Not done."}]))
            (late,) = wait_for(runtime, other, "approval.requested")
            moved = git.put("agent/fix", "Another hand", docs__other="y\n")
            decide(runtime, other, late["callId"], "approve")
            events += runtime.wait_finished(other)
            runtime.process.terminate()
            log = runtime.wait_stderr()
        schemas = {item["function"]["name"]: item["function"] for item in model.requests[0].body["tools"]}
        model_port = urlsplit(model.base_url).port
    results = [(event["content"], event["isError"]) for event in events if event["type"] == "tool.result"]
    assert [is_error for _, is_error in results] == [False, True]
    assert f"parent: {moved} (Another hand)" in results[1][0]
    assert git.refs["heads/agent/fix"] == moved
    assert git.commits[git.commits[moved]["parents"][0]]["parents"] == [head]
    assert TOKEN not in log + json.dumps(events)
    files = schemas["commit-files"]["parameters"]["properties"]["files"]
    assert (files["type"], files["items"]["required"]) == ("array", ["path"])
    rendered = {item for item in endpoints(workload) if item.port != model_port}
    assert rendered == {Endpoint("127.0.0.1", github.port, "http", is_private=True)}


def test_descriptions_and_permissions_reach_whoever_reads_the_specs(tmp_path: Path) -> None:
    """A commit that may touch workflows needs a permission of its own."""
    more = {"commit-files": ", paths: [.github/workflows/docs.yml]"}
    compiled(tmp_path, tools("https://api.github.com", more))
    from kagent_render.views.inventory import tool_permissions, tools_of

    found = {node.declaration.name: tool_permissions(node) for node in tools_of(compile_paths([str(tmp_path)]).graph)}
    assert found["commit-files"] == ["Contents: write", "Workflows: write"]
    assert found["review-pull-request"] == ["Pull requests: write"]
