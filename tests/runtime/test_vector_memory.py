"""Texts that an agent looks up by meaning, by what goes over the wire to both models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kagent_runtime.components.vector_memory import MAX_PIECE, pieces
from tests.edge.embeddings_server import EmbeddingsServer
from tests.edge.model_server import ModelRequest, ModelServer
from tests.runtime.process import KEY, Runtime
from tests.runtime.specs import agent, compiled

RUNBOOKS = [
    "When the checkout service answers slowly, look at its database connections.",
    "When a certificate has expired, delete the Secret and cert-manager makes another.",
    "When the disk of a node is full, remove images that nobody uses.",
]
EMBEDDER = """apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {{name: embedder}}
spec: {{provider: OpenAICompatible, model: small-vectors, baseUrl: "{url}"}}
"""


def _config(folder: Path, model: ModelServer, embeddings: EmbeddingsServer, **more: Any) -> Any:
    memory = {"type": "Vector", "modelConfigRef": {"name": "embedder"}, "contents": RUNBOOKS} | more
    document = agent("solo", f"memory: {json.dumps([memory, {'type': 'List', 'contents': ['Be brief.']}])}")
    return compiled(folder / "specs", model.base_url, document, EMBEDDER.format(url=embeddings.base_url))


def _told(request: ModelRequest) -> list[str]:
    return [str(item["content"]) for item in request.messages if item["role"] == "system"]


def test_the_nearest_texts_are_told_and_only_in_that_turn(tmp_path: Path) -> None:
    """Each turn has what is near to its own message; the vectors of the texts are made once, restarts included."""
    with ModelServer(lambda _: {"text": "Thanks."}, api_key=KEY) as model, EmbeddingsServer() as embeddings:
        config = _config(tmp_path, model, embeddings, results=1)
        for number in range(2):
            with Runtime(config, tmp_path / "state") as runtime:
                session = runtime.new_session()
                runtime.ask(session, "Our checkout service is slow, why?")
                first = _told(model.requests[-1])
                events = runtime.ask(session, "And the expired certificate?")
                second = _told(model.requests[-1])
            assert [text for text in first if "database connections" in text]
            assert [text for text in second if "cert-manager" in text]
            assert not [text for text in second if "database connections" in text]
            assert [text for text in second if "Be brief." in text]
            assert events[-1]["outcome"] == "completed"
            assert len([text for text in embeddings.inputs if text in RUNBOOKS]) == len(RUNBOOKS), number
    assert embeddings.inputs[-1] == "And the expired certificate?"


def test_what_is_not_near_enough_is_not_told(tmp_path: Path) -> None:
    """A greeting brings no runbook along."""
    with ModelServer(lambda _: {"text": "Hello."}, api_key=KEY) as model, EmbeddingsServer() as embeddings:
        with Runtime(_config(tmp_path, model, embeddings, minScore=0.5), tmp_path / "state") as runtime:
            runtime.ask(runtime.new_session(), "Good morning!")
        assert not [text for text in _told(model.requests[-1]) if "When" in text]


def test_a_server_without_vectors_fails_the_turn_and_says_so(tmp_path: Path) -> None:
    """In the words that every model's error has."""
    with ModelServer(lambda _: {"text": "Hello."}, api_key=KEY) as model, EmbeddingsServer(status=400) as embeddings:
        with Runtime(_config(tmp_path, model, embeddings), tmp_path / "state") as runtime:
            end = runtime.ask(runtime.new_session(), "Good morning!")[-1]
    assert end["outcome"] == "failed"
    assert "model `embedder`: HTTP 400" in end["error"]["detail"]


def test_the_replay_model_looks_nothing_up(tmp_path: Path) -> None:
    """It calls no server at all."""
    with ModelServer(lambda _: {"text": "Hello."}) as model, EmbeddingsServer() as embeddings:
        with Runtime(_config(tmp_path, model, embeddings), tmp_path / "state", "--model", "replay") as runtime:
            assert runtime.ask(runtime.new_session(), "Good morning!")[-1]["outcome"] == "completed"
    assert embeddings.inputs == []


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("short", [5]),
        ("one\n\ntwo", [8]),
        ("a" * 1500 + "\n\n" + "b" * 1500, [1500, 1500]),
        ("a" * 4500, [2000, 2000, 500]),
        ("\n\n  \n\n", []),
    ],
)
def test_long_texts_are_cut_at_paragraphs(text: str, sizes: list[int]) -> None:
    """Nothing is lost, and nothing is longer than a model takes."""
    assert [len(piece) for piece in pieces(text)] == sizes
    assert max([0, *sizes]) <= MAX_PIECE
