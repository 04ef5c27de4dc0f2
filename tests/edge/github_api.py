"""GitHub's REST API in its published shapes: tokens, pages with Link headers, rate limits, redirects, lost answers."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.edge.github_git import GitStore
from tests.edge.github_writes import PERMISSIONS, GithubWrites
from tests.edge.github_writes import error as _error
from tests.edge.loopback import LoopbackServer

JSON = dict[str, Any]
TOKEN = "ghp_edge_0123456789"
READ_TOKEN = "ghp_edge_only_reads_0123456789"


class GithubApiServer(LoopbackServer):
    """Repositories by full name; each has `files`, `issues`, `pulls`, `runs`, `jobs`, `logs`. Below `prefix`."""

    def __init__(self, repositories: dict[str, JSON], *, prefix: str = "/api/v3") -> None:
        self.repositories = {
            name.lower(): item | {"full_name": name, "git": GitStore(item.get("files", {}), item.get("modes"))}
            for name, item in repositories.items()
        }
        self.requests: list[Request] = []
        self.remaining = 5000
        self.reset_seconds = 3000
        self.resource = "core"
        self.retry_after: str | None = None
        self.refusals: int | None = None  # how many requests a limit still refuses; None: all
        self.log_location = ""
        self.redirects: dict[str, str] = {}  # by method: where such a request is sent on to
        # Requests whose answer is lost on the way, or late, though they were carried out: by method.
        self.lost: set[str] = set()
        self.before: dict[str, Callable[[], Any]] = {}  # what somebody else does just before the next such request
        self.delays: dict[str, float] = {}
        repo = prefix + "/repos/{owner}/{name}"
        routes = [
            Route(prefix + "/search/{kind}", self._guarded(self._search)),
            Route(repo + "/contents/{path:path}", self._guarded(self._contents)),
            Route(repo + "/contents", self._guarded(self._contents)),
            Route(repo + "/issues", self._guarded(self._issues)),
            Route(repo + "/issues/{number:int}", self._guarded(self._issue)),
            Route(repo + "/issues/{number:int}/comments", self._guarded(self._comments)),
            Route(repo + "/pulls", self._guarded(self._pulls)),
            Route(repo + "/pulls/{number:int}", self._guarded(self._pull)),
            Route(repo + "/pulls/{number:int}/files", self._guarded(self._files)),
            Route(repo + "/actions/runs", self._guarded(self._runs)),
            Route(repo + "/actions/runs/{number:int}/jobs", self._guarded(self._jobs)),
            Route(repo + "/actions/jobs/{number:int}/logs", self._guarded(self._log)),
            Route("/storage/{number:int}", self._storage),
        ]
        routes = GithubWrites(self._of).routes(repo, self._guarded) + routes
        super().__init__(Starlette(routes=routes))

    @property
    def api(self) -> str:
        """The URL of the API."""
        return f"{self.origin}/api/v3"

    def repository(self, name: str) -> JSON:
        """What a repository has now."""
        return self.repositories[name.lower()]

    def _guarded(self, answer: Any) -> Any:
        async def guarded(request: Request) -> Response:
            self.requests.append(request)
            self.before.pop(request.method, lambda: None)()
            response: Response = self._refusal(request) or await answer(request)
            await asyncio.sleep(self.delays.get(request.method, 0))
            response.headers["x-ratelimit-limit"] = "5000"
            response.headers["x-ratelimit-remaining"] = str(self.remaining)
            response.headers["x-ratelimit-reset"] = str(int(time.time()) + self.reset_seconds)
            response.headers["x-ratelimit-resource"] = self.resource
            if request.method in self.lost:
                response.headers["content-length"] = str(len(response.body) + 1000)  # the connection breaks off
            return response

        return guarded

    def _refusal(self, request: Request) -> Response | None:
        authorization = request.headers.get("authorization")
        if not request.headers.get("user-agent"):
            return _error(403, "Please make sure your request has a User-Agent header")
        if authorization not in (None, f"Bearer {TOKEN}", f"Bearer {READ_TOKEN}"):
            return _error(401, "Bad credentials")
        if request.headers.get("x-github-api-version", "2022-11-28") != "2022-11-28":
            return _error(400, "Unsupported API version")
        if location := self.redirects.get(request.method):
            return RedirectResponse(location, 307)
        return self._limited() or self._hidden(request, authorization) or _unwritable(request, authorization)

    def _limited(self) -> Response | None:
        if self.refusals == 0 or not (self.retry_after or self.remaining == 0):
            return None
        self.refusals = None if self.refusals is None else self.refusals - 1
        if self.retry_after is None:
            return _error(403, "API rate limit exceeded for user ID 1.")
        answer = _error(403, "You have exceeded a secondary rate limit. Please wait a few minutes")
        answer.headers["retry-after"] = self.retry_after
        return answer

    def _hidden(self, request: Request, authorization: str | None) -> Response | None:
        name = f"{request.path_params.get('owner', '')}/{request.path_params.get('name', '')}".lower()
        if name == "/":
            return None
        if name == "octo/renamed":
            return RedirectResponse(f"{self.api}/repositories/7{request.url.path.partition('renamed')[2]}", 301)
        repository = self.repositories.get(name)
        if repository is None or (repository.get("private") and authorization is None):
            return _error(404, "Not Found")
        return None

    def _of(self, request: Request) -> JSON:
        return self.repositories[f"{request.path_params['owner']}/{request.path_params['name']}".lower()]

    async def _contents(self, request: Request) -> Response:
        files: dict[str, str] = self._of(request).get("files", {})
        path = request.path_params.get("path", "").strip("/")
        if request.query_params.get("ref") not in (None, "main"):
            return _error(404, f"No commit found for the ref {request.query_params['ref']}")
        if path in files:
            if request.headers.get("accept") == "application/vnd.github.raw+json":
                return Response(files[path], media_type="application/vnd.github.raw+json; charset=utf-8")
            content = base64.b64encode(files[path].encode()).decode()
            return JSONResponse({"type": "file", "path": path, "encoding": "base64", "content": content})
        inside = [name for name in files if not path or name.startswith(f"{path}/")]
        if not inside:
            return _error(404, "Not Found")
        return JSONResponse([{"type": "file", "path": name, "size": len(files[name])} for name in inside])

    async def _search(self, request: Request) -> Response:
        query = request.query_params["q"]
        words = [word for word in query.split() if ":" not in word]
        scopes = re.findall(r"(repo|user|org):(\S+)", query)
        chosen = [item for item in self.repositories.values() if _in_scope(item["full_name"], scopes)]
        if request.path_params["kind"] == "code":
            found = [_code(item, path, text) for item in chosen for path, text in item.get("files", {}).items()]
            hits = [hit for hit in found if all(word in hit.pop("_text") for word in words)]
        elif not re.search(r"is:(issue|pr)\b", query):
            return _error(422, "Validation Failed", [{"message": "Query must include 'is:issue' or 'is:pull-request'"}])
        else:
            kind = "pulls" if "is:pr" in query else "issues"
            hits = [
                issue | {"repository_url": f"{self.api}/repos/{item['full_name']}"}
                for item in chosen
                for issue in item.get(kind, [])
                if all(word in issue["title"] for word in words)
            ]
        page = self._page(request, hits)
        return JSONResponse({"total_count": len(hits), "incomplete_results": False, "items": page[0]}, headers=page[1])

    def _page(self, request: Request, items: Sequence[JSON]) -> tuple[list[JSON], dict[str, str]]:
        size = min(int(request.query_params.get("per_page", "30")), 100)
        page = int(request.query_params.get("page", "1"))
        rest = len(items) > page * size
        url = request.url.include_query_params(page=page + 1)
        return list(items[(page - 1) * size : page * size]), {"link": f'<{url}>; rel="next"'} if rest else {}

    def _listed(self, request: Request, items: Sequence[JSON], key: str | None = None) -> Response:
        page, headers = self._page(request, items)
        return JSONResponse({"total_count": len(items), key: page} if key else page, headers=headers)

    async def _issues(self, request: Request) -> Response:
        item = self._of(request)
        everything = [*item.get("issues", []), *({**p, "pull_request": {}} for p in item.get("pulls", []))]
        state = request.query_params.get("state", "open")
        labels = set(filter(None, request.query_params.get("labels", "").split(",")))
        chosen = [i for i in everything if state in ("all", i["state"]) and labels <= {x["name"] for x in i["labels"]}]
        return self._listed(request, chosen)

    async def _issue(self, request: Request) -> Response:
        item, number = self._of(request), request.path_params["number"]
        pull = next((one for one in item.get("pulls", []) if one["number"] == number), None)
        return JSONResponse(pull | {"pull_request": {}}) if pull else self._numbered(request, "issues")

    def _numbered(self, request: Request, kind: str) -> Response:
        for item in self._of(request).get(kind, []):
            if item["number"] == request.path_params["number"]:
                return JSONResponse(item)
        return _error(404, "Not Found")

    async def _comments(self, request: Request) -> Response:
        number = request.path_params["number"]
        count = next(i["comments"] for i in self._of(request)["issues"] if i["number"] == number)
        comments = [
            {"user": {"login": "ada"}, "created_at": "2026-01-02T00:00:00Z", "body": f"comment {n}"}
            for n in range(count)
        ]
        return self._listed(request, comments)

    async def _pulls(self, request: Request) -> Response:
        state, base = request.query_params.get("state", "open"), request.query_params.get("base")
        pulls = [p for p in self._of(request).get("pulls", []) if state in ("all", p["state"])]
        head = request.query_params.get("head")
        pulls = [p for p in pulls if head in (None, p["head"]["label"])]
        return self._listed(request, [p for p in pulls if base in (None, p["base"]["ref"])])

    async def _pull(self, request: Request) -> Response:
        return self._numbered(request, "pulls")

    async def _files(self, request: Request) -> Response:
        file = {
            "filename": "app.py",
            "status": "modified",
            "additions": 1,
            "deletions": 1,
            "patch": "@@ -1 +1 @@\n-a\n+b",
        }
        return self._listed(request, [file])

    async def _runs(self, request: Request) -> Response:
        status = request.query_params.get("status")
        runs = [r for r in self._of(request).get("runs", []) if status in (None, r["conclusion"], r["status"])]
        return self._listed(request, runs, "workflow_runs")

    async def _jobs(self, request: Request) -> Response:
        jobs = self._of(request).get("jobs", {}).get(request.path_params["number"])
        return self._listed(request, jobs, "jobs") if jobs is not None else _error(404, "Not Found")

    async def _log(self, request: Request) -> Response:
        return RedirectResponse(self.log_location or f"{self.origin}/storage/{request.path_params['number']}", 302)

    async def _storage(self, request: Request) -> Response:
        number = request.path_params["number"]
        logs = {key: text for item in self.repositories.values() for key, text in item.get("logs", {}).items()}
        return PlainTextResponse(logs.get(number, ""))


def _unwritable(request: Request, authorization: str | None) -> Response | None:
    """What a token may not write that may only read, though it sees the repository."""
    if request.method == "GET" or authorization == f"Bearer {TOKEN}":
        return None
    if authorization is None:
        return _error(401, "Requires authentication")
    answer = _error(403, "Resource not accessible by personal access token")
    answer.headers["x-accepted-github-permissions"] = PERMISSIONS[request.url.path.split("/")[6]]
    return answer


def _in_scope(name: str, scopes: list[tuple[str, str]]) -> bool:
    """Several qualifiers widen the search; without any, it is all of GitHub."""
    owner = name.partition("/")[0]
    return not scopes or any(value.lower() == (name if kind == "repo" else owner).lower() for kind, value in scopes)


def _code(repository: JSON, path: str, text: str) -> JSON:
    return {"path": path, "repository": {"full_name": repository["full_name"]}, "_text": text}


def issue(number: int, title: str, **more: Any) -> JSON:
    """An issue with the fields that GitHub always sends."""
    return {
        "number": number,
        "title": title,
        "state": "open",
        "body": f"body of {number}",
        "user": {"login": "ada"},
        "labels": [],
        "comments": 0,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-03T00:00:00Z",
        "html_url": "https://github.com/",
    } | more


def pull(number: int, title: str, **more: Any) -> JSON:
    """A pull request."""
    return (
        issue(number, title)
        | {
            "merged": False,
            "draft": False,
            "head": {"label": "ada:fix", "ref": "fix", "sha": "5" * 40},
            "base": {"label": "octo:main", "ref": "main"},
            "additions": 1,
            "deletions": 1,
            "changed_files": 1,
        }
        | more
    )
