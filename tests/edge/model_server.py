"""A language model that says what the test told it to, over the real OpenAI wire protocol on loopback.

`python -m tests.edge.model_server --port 9000 --script FILE.json` serves another process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.edge.loopback import LoopbackServer
from tests.edge.openai_wire import (
    JSON,
    Completion,
    RefusedError,
    check_authorization,
    check_request,
    error_envelope,
    prompt_of,
)
from tests.edge.script import Prompt, Rule, ScriptError, Step, first_match


@dataclass
class ModelRequest:
    """One request the server received; `hung_up` says that the client left before the answer was complete."""

    path: str
    headers: Mapping[str, str]
    body: Any
    at: float = field(default_factory=time.monotonic)
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 0
    hung_up: bool = False

    @property
    def system(self) -> str:
        """The system prompt."""
        return prompt_of(self.body).system

    @property
    def messages(self) -> list[JSON]:
        """The conversation as it was sent."""
        return list(self.body["messages"])


class Answer(Protocol):
    """One answer in the form of a wire."""

    @property
    def step(self) -> Step:
        """What the script says."""

    def whole(self) -> JSON:
        """The body of a non-streaming answer."""

    def frames(self) -> Iterator[str]:
        """The server-sent events of a streaming answer."""


Script = Sequence[Rule | Mapping[str, Any]] | Callable[[ModelRequest], Step | Mapping[str, Any]]


class ModelServer(LoopbackServer):
    """An OpenAI-compatible server answering from `script`.

    `script` is a list of rules (`{"system": "substring", "steps": [{"text": "…"}]}` or
    `{"selector": ["agent_a"]}`; see tests/edge/script.py) or a function from the request to a step.
    Subclasses speak the wires of other providers.
    """

    prefix = "/v1"
    chat_path = "/chat/completions"
    more_parameters: frozenset[str] = frozenset()

    def __init__(
        self,
        script: Script,
        *,
        api_key: str | None = None,
        models: Sequence[str] = (),
        port: int = 0,
        tls: tuple[Path, Path] | None = None,
        client_ca: Path | None = None,
    ) -> None:
        routes = [
            Route(f"{self.prefix}/models", self._models, methods=["GET"]),
            Route(f"{self.prefix}{self.chat_path}", self._chat, methods=["POST"]),
        ]
        super().__init__(Starlette(routes=routes), port=port, tls=tls, client_ca=client_ca)
        self._answer = script if callable(script) else self._rules(script)
        self._api_key = api_key
        self._known_models = tuple(models)
        self._grown = threading.Condition()
        self.requests: list[ModelRequest] = []

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"{self.origin}{self.prefix}"

    def wait_for_requests(self, count: int, timeout: float = 10) -> list[ModelRequest]:
        """Return the requests once there are `count`; raises TimeoutError."""
        with self._grown:
            if not self._grown.wait_for(lambda: len(self.requests) >= count, timeout):
                raise TimeoutError(f"{len(self.requests)} of {count} model requests after {timeout} s")
            return list(self.requests)

    async def _models(self, request: Request) -> Response:
        try:
            check_authorization(request.headers.get("authorization"), self._api_key)
        except RefusedError as refused:
            return JSONResponse(refused.envelope, refused.status)
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "edge"} for name in self._known_models]
        return JSONResponse({"object": "list", "data": models})

    async def _chat(self, request: Request) -> Response:
        body, query = await _json(request), dict(request.query_params)
        record = ModelRequest(request.url.path, dict(request.headers), body, query=query)
        number = self._remember(record)
        response = await self._respond(request, record, number)
        record.status = response.status_code
        return response

    def _remember(self, record: ModelRequest) -> int:
        with self._grown:
            self.requests.append(record)
            self._grown.notify_all()
            return len(self.requests)

    async def _respond(self, request: Request, record: ModelRequest, number: int) -> Response:
        try:
            self._check(record)
            step = Step.parse(self._answer(record))
        except RefusedError as refused:
            return JSONResponse(refused.envelope, refused.status)
        except ScriptError as mistake:
            # 400: clients retry a 500, which would hide the mistake behind a wait.
            return JSONResponse(self._envelope(400, mistake.reason, "script"), 400)
        await _sleep(request, record, step.sleep)
        if step.error:
            return self._error(step)
        completion = self._completion(record, step, number)
        if record.body.get("stream"):
            return _EventStream(completion, record)
        return _CutResponse(completion) if step.cut else JSONResponse(completion.whole())

    def _check(self, record: ModelRequest) -> None:
        check_authorization(record.headers.get("authorization"), self._api_key)
        check_request(record.body, self.more_parameters)
        name = record.body["model"]
        if self._known_models and name not in self._known_models:
            message = f"The model `{name}` does not exist or you do not have access to it."
            raise RefusedError(message, status=404, code="model_not_found")

    def _rules(self, script: Sequence[Rule | Mapping[str, Any]]) -> Callable[[ModelRequest], Step]:
        rules = [Rule.parse(rule) for rule in script]
        return lambda record: first_match(rules, self._prompt(record.body))

    def _prompt(self, body: JSON) -> Prompt:
        return prompt_of(body)

    def _completion(self, record: ModelRequest, step: Step, number: int) -> Answer:
        return Completion(record.body, step, number)

    def _envelope(self, status: int, message: str, code: str | None) -> JSON:
        return error_envelope(status, message, code=code)

    def _error(self, step: Step) -> Response:
        headers = {} if step.retry_after is None else {"retry-after": f"{step.retry_after:g}"}
        message = step.text or f"The scripted model answers {step.error}."
        code = "rate_limit_exceeded" if step.error == 429 else None
        return JSONResponse(self._envelope(step.error, message, code), step.error, headers)


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None


async def _sleep(request: Request, record: ModelRequest, seconds: float) -> None:
    """Wait, but notice a client that hangs up meanwhile."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not record.hung_up:
        await asyncio.sleep(min(0.02, left))
        record.hung_up = await request.is_disconnected()


class _EventStream(Response):
    """A completion as server-sent events; with `cut` the connection closes half way through the frames."""

    media_type = "text/event-stream"

    def __init__(self, completion: Answer, record: ModelRequest) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._completion = completion
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        frames = list(self._completion.frames())
        step = self._completion.step
        if step.garbled:
            half = len(frames) // 2
            frames[half:] = [re.sub("(?m)^data: .*$", 'data: {"broken', frames[half])]
        for frame in frames[: len(frames) // 2] if step.cut else frames:
            await _sleep(request, self._record, step.chunk_sleep)
            if self._record.hung_up:
                return
            await send({"type": "http.response.body", "body": frame.encode(), "more_body": True})
        if not step.cut:
            await send({"type": "http.response.body", "body": b""})


class _CutResponse(JSONResponse):
    """A non-streaming answer of which only the first half arrives."""

    def __init__(self, completion: Answer) -> None:
        super().__init__(completion.whole())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a script file until interrupted: rules, or `{"rules": […], "api_key": …, "models": […]}`."""
    parser = argparse.ArgumentParser(prog="model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path, required=True)
    options = parser.parse_args(arguments)
    script = json.loads(options.script.read_text(encoding="utf-8"))
    if isinstance(script, list):
        script = {"rules": script}
    server = ModelServer(
        script["rules"], api_key=script.get("api_key"), models=script.get("models", ()), port=options.port
    )
    with server:
        sys.stdout.write(f"model-server: {server.base_url}\n")
        sys.stdout.flush()
        try:
            server.join()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
