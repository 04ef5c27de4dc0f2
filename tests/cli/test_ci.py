"""`ci`: the workflows' own steps run in a real repository; what they tell is one comment for each environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer
from tests.harness import EXAMPLES, ROOT, kagent_render

NOTES = "/api/v4/projects/7/merge_requests/3/notes"
# What `gh api` does, of what the workflow asks of it: list, create and change comments of an issue.
GH = r"""#!/usr/bin/env python3
import json, os, sys
arguments = sys.argv[2:]
store = os.environ["COMMENTS"]
comments = json.load(open(store)) if os.path.exists(store) else []
if "--paginate" in arguments:
    marker = arguments[arguments.index("--jq") + 1].split('startswith("')[1].split('")')[0]
    print("\n".join(str(one["id"]) for one in comments if one["body"].startswith(marker)))
    sys.exit()
path = next(word for word in arguments if word.startswith("repos/"))
body = open(arguments[arguments.index("-F") + 1].removeprefix("body=@")).read()
if "PATCH" in arguments:
    next(one for one in comments if str(one["id"]) == path.rpartition("/")[2])["body"] = body
else:
    assert path == "repos/acme/agents/issues/3/comments", path
    comments.append({"id": len(comments) + 1, "body": body})
json.dump(comments, open(store, "w"))
"""


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example with its manifests, and a branch that changes a prompt in all environments."""
    folder = tmp_path / "repository"
    shutil.copytree(EXAMPLES / "platform-team", folder / "agents")
    _git(tmp_path, "init", "-q", "-b", "main", str(folder))
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "first")
    _git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    return folder


def _change(folder: Path, text: str) -> None:
    (folder / "agents/specs/prompts/triage.md").write_text(f"{text}\n")
    for environment in ("staging", "prod"):
        outcome = kagent_render(
            "build", "agents", "--env", environment, "-o", f"agents/rendered/{environment}", cwd=folder
        )
        assert outcome.code == 0, outcome.stderr
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", text)


def _run(folder: Path, script: str, **environment: str) -> str:
    path = f"{folder.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | environment | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _printed(provider: str) -> dict[Any, Any]:
    outcome = kagent_render("ci", provider, "--path", "agents", "--env", "staging", "--env", "prod")
    assert outcome.code == 0, outcome.stderr
    found: dict[Any, Any] = yaml.safe_load(outcome.stdout)
    return found


def _assert_told(comments: list[dict[str, Any]], prompt: str) -> None:
    assert [one["body"].splitlines()[:2] for one in comments] == [
        ["<!-- kagent-render staging -->", "**staging**"],
        ["<!-- kagent-render prod -->", "**prod**"],
    ]
    for one in comments:
        assert prompt in one["body"]
        assert len(one["body"]) < 65_536


def test_the_github_workflow(repository: Path) -> None:
    """It asks for no more rights than it uses; a second push changes the comments of the first."""
    workflow = _printed("github")
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert workflow[True]["pull_request"] == {"paths": ["agents/**"]}  # YAML 1.1 reads `on` so
    steps = workflow["jobs"]["manifests"]["steps"]
    checks, comment = [step["run"] for step in steps if "run" in step and "pip install" not in step["run"]]
    (repository.parent / "gh").write_text(GH)
    (repository.parent / "gh").chmod(0o755)
    store = repository.parent / "comments.json"
    about = {"GITHUB_REPOSITORY": "acme/agents", "GITHUB_BASE_REF": "main", "NUMBER": "3", "COMMENTS": str(store)}
    for prompt in ("Sort by urgency.", "Sort by age."):
        _change(repository, prompt)
        _run(repository, checks)
        _run(repository, comment, **about)
        _assert_told(json.loads(store.read_text()), prompt)


@pytest.fixture
def gitlab() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and the notes that it has."""
    notes: list[dict[str, Any]] = []

    async def collection(request: Request) -> Response:
        if request.headers.get("private-token") != "canary-token":
            return JSONResponse({"message": "401 Unauthorized"}, 401)
        if request.method == "GET":
            return JSONResponse(notes)
        notes.append({"id": len(notes) + 1, "body": (await request.form())["body"]})
        return JSONResponse(notes[-1], 201)

    async def one(request: Request) -> Response:
        note = next(note for note in notes if note["id"] == request.path_params["id"])
        note["body"] = (await request.form())["body"]
        return JSONResponse(note)

    routes = [
        Route(NOTES, collection, methods=["GET", "POST"]),
        Route(NOTES + "/{id:int}", one, methods=["PUT"]),
    ]
    with LoopbackServer(Starlette(routes=routes)) as server:
        yield server.origin, notes


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_gitlab_workflow(repository: Path, gitlab: tuple[str, list[dict[str, Any]]]) -> None:
    """The same, through GitLab's API; without a token it only prints."""
    origin, notes = gitlab
    job = _printed("gitlab")["kagent-render"]
    _, checks, comment = job["script"]
    about = {
        "CI_API_V4_URL": f"{origin}/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": _git(repository, "rev-parse", "HEAD"),
    }
    for prompt in ("Sort by urgency.", "Sort by age."):
        _change(repository, prompt)
        _run(repository, checks)
        printed = _run(repository, comment, **about)
        assert "canary-token" not in printed
        assert prompt in printed
        _run(repository, comment, **about, KAGENT_RENDER_TOKEN="canary-token")
        _assert_told(notes, prompt)


def test_a_name_that_is_a_command_is_refused() -> None:
    """What is written into a script is one word."""
    outcome = kagent_render("ci", "github", "--env", "$(id)")
    assert outcome.code == 2
    assert "cannot be in a workflow" in outcome.stderr
