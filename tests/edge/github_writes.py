"""The part of GitHub's REST API that changes something, and what is read for it, in its published shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.edge.github_git import FOLDER, GitError, GitStore

JSON = dict[str, Any]
Guard = Callable[[Any], Any]
PERMISSIONS = {"git": "contents=write", "issues": "issues=write; pull_requests=write", "pulls": "pull_requests=write"}
_STATES = {"COMMENT": "COMMENTED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "APPROVE": "APPROVED"}


def error(status: int, message: str, errors: list[Any] | None = None) -> Response:
    """An error as GitHub words it."""
    body: JSON = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return JSONResponse(body | ({"errors": errors} if errors else {}), status)


class GithubWrites:
    """A repository has `git`, `labels` (names), `protected` (branches) and `without_issues` besides what is read."""

    def __init__(self, of: Callable[[Request], JSON]) -> None:
        self._of = of

    def routes(self, repo: str, guard: Guard) -> list[Route]:
        """All of them, those that write with their methods."""
        read = {
            "": self._repository,
            "/git/ref/{ref:path}": self._ref,
            "/git/commits/{sha}": self._git_commit,
            "/git/trees/{sha}": self._git_tree,
            "/git/blobs/{sha}": self._git_blob,
            "/commits/{ref:path}": self._commit,
            "/compare/{basehead:path}": self._compare,
            "/labels/{label}": self._label,
        }
        written = {
            ("POST", "/git/blobs"): self._add_blob,
            ("POST", "/git/trees"): self._add_tree,
            ("POST", "/git/commits"): self._add_commit,
            ("POST", "/git/refs"): self._add_ref,
            ("PATCH", "/git/refs/{ref:path}"): self._move_ref,
            ("POST", "/issues"): self._add_issue,
            ("POST", "/issues/{number:int}/comments"): self._add_comment,
            ("POST", "/pulls"): self._add_pull,
            ("POST", "/pulls/{number:int}/reviews"): self._add_review,
        }
        routes = [Route(repo + path, guard(answer)) for path, answer in read.items()]
        return routes + [
            Route(repo + path, guard(answer), methods=[method]) for (method, path), answer in written.items()
        ]

    def _git(self, request: Request) -> GitStore:
        store: GitStore = self._of(request)["git"]
        return store

    async def _repository(self, request: Request) -> Response:
        item = self._of(request)
        return JSONResponse(
            {
                "full_name": item["full_name"],
                "default_branch": "main",
                "has_issues": not item.get("without_issues"),
                "private": bool(item.get("private")),
                "archived": False,
            }
        )

    async def _ref(self, request: Request) -> Response:
        name, git = request.path_params["ref"], self._git(request)
        return _as_ref(name, git.refs[name]) if name in git.refs else error(404, "Not Found")

    async def _git_commit(self, request: Request) -> Response:
        found = self._git(request).commits.get(request.path_params["sha"])
        return JSONResponse(_as_git_commit(found)) if found else error(404, "Not Found")

    async def _git_tree(self, request: Request) -> Response:
        sha = request.path_params["sha"]
        found = self._git(request).trees.get(sha)
        if found is None:
            return error(404, "Not Found")
        entries = [
            {"path": name, "mode": f"{mode:0>6}", "type": _type(mode), "sha": child}
            for name, (mode, child) in found.items()
        ]
        return JSONResponse({"sha": sha, "tree": entries, "truncated": False})

    async def _git_blob(self, request: Request) -> Response:
        found = self._git(request).blobs.get(request.path_params["sha"])
        if found is None:
            return error(404, "Not Found")
        assert request.headers["accept"] == "application/vnd.github.raw+json"
        return Response(found, media_type="application/vnd.github.raw+json; charset=utf-8")

    async def _commit(self, request: Request) -> Response:
        git, name = self._git(request), request.path_params["ref"]
        sha = git.resolve(name)
        return JSONResponse(_as_commit(git, sha)) if sha else error(422, f"No commit found for SHA: {name}")

    async def _compare(self, request: Request) -> Response:
        git = self._git(request)
        base, _, head = request.path_params["basehead"].partition("...")
        one, other = git.resolve(base), git.resolve(head)
        if one is None or other is None:
            return error(404, "Not Found")
        behind, ahead = git.ancestors(one), git.ancestors(other)
        new = [sha for sha in reversed(ahead) if sha not in behind]
        old = [sha for sha in behind if sha not in ahead]
        status = ("diverged" if old else "ahead") if new else ("behind" if old else "identical")
        size = int(request.query_params.get("per_page", "250"))
        before, after = (dict(git.files(git.commits[sha]["tree"])) for sha in (one, other))
        files = [
            {"filename": path, "status": "modified" if path in before else "added"}
            for path in after
            if before.get(path) != after[path]
        ]
        files += [{"filename": path, "status": "removed"} for path in before if path not in after]
        counts = {"ahead_by": len(new), "behind_by": len(old), "total_commits": len(new)}
        commits = [_as_commit(git, sha) for sha in new[:size]]
        return JSONResponse({"status": status, **counts, "commits": commits, "files": files})

    async def _label(self, request: Request) -> Response:
        name = request.path_params["label"]
        return JSONResponse({"name": name}) if name in self._of(request).get("labels", ()) else error(404, "Not Found")

    async def _add_blob(self, request: Request) -> Response:
        body = await request.json()
        assert body["encoding"] == "utf-8"
        return JSONResponse({"sha": self._git(request).add_blob(body["content"].encode())}, 201)

    async def _add_tree(self, request: Request) -> Response:
        body = await request.json()
        try:
            sha = self._git(request).edited(body["base_tree"], body["tree"])
        except GitError as problem:
            return error(422, str(problem))
        return JSONResponse({"sha": sha, "tree": [], "truncated": False}, 201)

    async def _add_commit(self, request: Request) -> Response:
        body, git = await request.json(), self._git(request)
        try:
            sha = git.add_commit(body["message"], body["tree"], body["parents"])
        except GitError as problem:
            return error(422, str(problem))
        return JSONResponse(_as_git_commit(git.commits[sha]), 201)

    async def _add_ref(self, request: Request) -> Response:
        body, git = await request.json(), self._git(request)
        name = body["ref"].removeprefix("refs/")
        if name in git.refs:
            return error(422, "Reference already exists")
        if body["sha"] not in git.commits:
            return error(422, "Object does not exist")
        git.refs[name] = body["sha"]
        return _as_ref(name, body["sha"], 201)

    async def _move_ref(self, request: Request) -> Response:
        body, git, name = await request.json(), self._git(request), request.path_params["ref"]
        if name not in git.refs:
            return error(422, "Reference does not exist")
        if name.removeprefix("heads/") in self._of(request).get("protected", ()):
            return error(422, "Changes must be made through a pull request.")
        if git.refs[name] not in git.ancestors(body["sha"]) and not body.get("force"):
            return error(422, "Update is not a fast forward")
        git.refs[name] = body["sha"]
        return _as_ref(name, body["sha"])

    async def _add_issue(self, request: Request) -> Response:
        body, item = await request.json(), self._of(request)
        if item.get("without_issues"):
            return error(410, "Issues has been disabled in this repository.")
        if not body.get("title"):
            return error(422, "Validation Failed", [{"resource": "Issue", "code": "missing_field", "field": "title"}])
        made = {
            "number": 901 + len(item.setdefault("made", [])),
            "title": body["title"],
            "body": body.get("body"),
            "labels": [{"name": name} for name in body.get("labels", ())],
        }
        item["made"].append(made)
        return JSONResponse(made | {"html_url": f"https://github.com/{item['full_name']}/issues/{made['number']}"}, 201)

    async def _add_comment(self, request: Request) -> Response:
        body, item, number = await request.json(), self._of(request), request.path_params["number"]
        found = [one for kind in ("issues", "pulls") for one in item.get(kind, ()) if one["number"] == number]
        if not found:
            return error(404, "Not Found")
        if found[0].get("locked"):
            return error(403, "Unable to create comment because issue is locked.")
        item.setdefault("commented", []).append((number, body["body"]))
        return JSONResponse({"id": 1, "html_url": f"https://github.com/{item['full_name']}/issues/{number}#c1"}, 201)

    async def _add_pull(self, request: Request) -> Response:
        body, item, git = await request.json(), self._of(request), self._git(request)
        for field in ("head", "base"):
            if f"heads/{body[field]}" not in git.refs:
                wrong = [{"resource": "PullRequest", "field": field, "code": "invalid"}]
                return error(422, "Validation Failed", wrong)
        made = {"number": 801 + len(item.setdefault("opened", [])), **body}
        item["opened"].append(made)
        return JSONResponse(made | {"html_url": f"https://github.com/{item['full_name']}/pull/{made['number']}"}, 201)

    async def _add_review(self, request: Request) -> Response:
        body, item, number = await request.json(), self._of(request), request.path_params["number"]
        found = [one for one in item.get("pulls", ()) if one["number"] == number]
        if not found:
            return error(404, "Not Found")
        if body["event"] == "APPROVE" and found[0]["user"]["login"] == "agent":
            return error(422, "Unprocessable Entity", ["Can not approve your own pull request"])
        item.setdefault("reviewed", []).append((number, body))
        where = f"https://github.com/{item['full_name']}/pull/{number}#r1"
        return JSONResponse({"id": 1, "state": _STATES[body["event"]], "html_url": where})


def _type(mode: str) -> str:
    return {FOLDER: "tree", "160000": "commit"}.get(mode, "blob")


def _as_ref(name: str, sha: str, status: int = 200) -> Response:
    return JSONResponse({"ref": f"refs/{name}", "object": {"type": "commit", "sha": sha}}, status)


def _as_git_commit(commit: JSON) -> JSON:
    parents = [{"sha": sha} for sha in commit["parents"]]
    return {"sha": commit["sha"], "message": commit["message"], "tree": {"sha": commit["tree"]}, "parents": parents}


def _as_commit(git: GitStore, sha: str) -> JSON:
    return {"sha": sha, "commit": {"message": git.commits[sha]["message"]}, "parents": git.commits[sha]["parents"]}
