"""A server of OpenAI's embeddings protocol: vectors of the words in a text, so that texts of like words are near."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer
from tests.edge.openai_wire import RefusedError, check_authorization, error_envelope

DIMENSIONS = 512


@dataclass
class EmbeddingsServer:
    """`inputs` are the texts that were sent, in order. `status` other than 200 is what it answers with."""

    api_key: str | None = None
    status: int = 200
    inputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        routes = [Route("/v1/embeddings", self._embed, methods=["POST"])]
        self._server = LoopbackServer(Starlette(routes=routes))

    def __enter__(self) -> EmbeddingsServer:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def base_url(self) -> str:
        """What a ModelConfig takes as its base URL."""
        return f"{self._server.origin}/v1"

    async def _embed(self, request: Request) -> Response:
        try:
            check_authorization(request.headers.get("authorization"), self.api_key)
        except RefusedError as refused:
            return JSONResponse(refused.envelope, refused.status)
        if self.status != 200:
            return JSONResponse(error_envelope(self.status, "no vectors today"), self.status)
        body = json.loads(await request.body())
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        self.inputs += texts
        as_text = body.get("encoding_format") == "base64"
        data = [{"object": "embedding", "index": i, "embedding": _form(text, as_text)} for i, text in enumerate(texts)]
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        # Backwards: the protocol has an index, and no promise of an order.
        return JSONResponse({"object": "list", "data": data[::-1], "model": body["model"], "usage": usage})


def _form(text: str, as_text: bool) -> Any:
    vector = _vector(text)
    return base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode() if as_text else vector


def _vector(text: str) -> list[float]:
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"[a-z]{3,}", text.lower()):
        vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % DIMENSIONS] += 1
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector] if length else [1.0, *vector[1:]]
