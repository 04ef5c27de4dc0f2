"""Texts that an agent looks up by meaning: before every turn those nearest to the last message are put before it.

The vectors are in a SQLite file of their own beside the conversations, made once for a model and a text: a restart
does not pay for them again. The file can be deleted at any time. Another class than AutoGen's ChromaDBVectorMemory,
which adds its findings to the conversation for good, again and again, and brings a model runtime of its own.
"""

import asyncio
import hashlib
import os
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import SystemMessage, UserMessage
from pydantic import BaseModel

from kagent_runtime.components.model_client import ModelClient
from kagent_runtime.components.models.base import ModelError

if TYPE_CHECKING:
    from apsw import Connection

TITLE = "What was found on this:"
MAX_PIECE = 2_000
"""Characters of a text that are looked up as one."""
_BATCH = 64
_MAX_QUERY = 8_000
_making = asyncio.Lock()


class Config(BaseModel):
    """The model of the vectors, the texts, how many are found at most, and how near they have to be."""

    model_client: dict[str, Any]
    contents: list[str]
    results: int
    min_score: float


class VectorMemory(Memory, Component[Config]):
    """Texts of the spec, which do not change while the process runs."""

    component_type = "memory"
    component_config_schema = Config
    component_provider_override = "kagent_runtime.components.VectorMemory"

    def __init__(self, config: Config, model: ModelClient) -> None:
        self._config, self._model = config, model
        self._pieces = [piece for text in config.contents for piece in pieces(text)]
        client = config.model_client["config"]
        about = repr([client.get("base_url"), client.get("model"), self._pieces])
        self._id = hashlib.sha256(about.encode()).hexdigest()[:16]

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Put what is found for the last message at the beginning, in place of what was found before."""
        messages = await model_context.get_messages()
        asked = next((m.content for m in reversed(messages) if isinstance(m, UserMessage)), "")
        found = await self.query(asked if isinstance(asked, str) else str(asked))
        state = dict(await model_context.save_state())
        rest = [message for message in state["messages"] if not _is_ours(message)]
        texts = "\n\n".join(str(item.content) for item in found.results)
        ours = [SystemMessage(content=f"{TITLE}\n\n{texts}").model_dump()] if texts else []
        state["messages"] = [*ours, *rest]
        await model_context.load_state(state)
        return UpdateContextResult(memories=found)

    async def query(
        self, query: str | MemoryContent = "", cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """The nearest texts, the nearest first. Raises ModelError."""
        text = str(query.content if isinstance(query, MemoryContent) else query).strip()
        if not text:
            return MemoryQueryResult(results=[])
        embed = self._model.embed
        async with _making:
            if not await asyncio.to_thread(_has, self._id, len(self._pieces)):
                vectors = await _all(embed, self._pieces)
                await asyncio.to_thread(_make, self._id, self._pieces, vectors)
        (vector,) = await embed([text[-_MAX_QUERY:]])
        found = await asyncio.to_thread(_nearest, self._id, vector, self._config.results)
        near = [
            MemoryContent(content=piece, mime_type=MemoryMimeType.TEXT, metadata={"score": round(score, 4)})
            for piece, score in found
            if score >= self._config.min_score
        ]
        return MemoryQueryResult(results=near)

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Refused: the texts are those of the spec. Raises NotImplementedError."""
        raise NotImplementedError

    async def clear(self) -> None:
        """Refused, as `add` is. Raises NotImplementedError."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to close."""

    def _to_config(self) -> Config:
        return self._config

    @classmethod
    def _from_config(cls, config: Config) -> Self:
        return cls(config, ModelClient.load_component(config.model_client))


def pieces(text: str) -> Iterator[str]:
    """A text, or the parts of a long one: at its paragraphs where it has any."""
    piece = ""
    for part in _parts(text):
        if piece and len(piece) + len(part) + 2 > MAX_PIECE:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{part}" if piece else part
    if piece:
        yield piece


def _parts(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        for start in range(0, len(paragraph), MAX_PIECE):
            if part := paragraph[start : start + MAX_PIECE].strip():
                yield part


async def _all(embed: Any, texts: Sequence[str]) -> list[list[float]]:
    vectors: list[list[float]] = []
    for start in range(0, len(texts), _BATCH):
        vectors += await embed(list(texts[start : start + _BATCH]))
    return vectors


def _open() -> "Connection":
    try:
        import apsw
        import sqlite_vec
    except ImportError:
        raise ModelError("a Vector memory needs the extra `vector`: pip install 'kagent-render[vector]'") from None
    folder = Path(os.environ.get("KAGENT_STATE_DIR", "/var/lib/kagent"))
    connection = apsw.Connection(str(folder / "vectors.db"))
    connection.set_busy_timeout(5000)
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    return connection


def _has(id: str, count: int) -> bool:
    with closing(_open()) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (f"texts_{id}",)).fetchall()
        return bool(known) and connection.execute(f"SELECT count(*) FROM texts_{id}").fetchall() == [(count,)]


def _make(id: str, texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
    columns = f"embedding float[{len(vectors[0])}] distance_metric=cosine, +piece text"
    with closing(_open()) as connection, connection:
        connection.execute(f"DROP TABLE IF EXISTS texts_{id}")
        connection.execute(f"CREATE VIRTUAL TABLE texts_{id} USING vec0({columns})")
        rows = [(_packed(vector), text) for vector, text in zip(vectors, texts, strict=True)]
        connection.executemany(f"INSERT INTO texts_{id}(embedding, piece) VALUES (?, ?)", rows)


def _nearest(id: str, vector: Sequence[float], count: int) -> list[tuple[str, float]]:
    query = f"SELECT piece, distance FROM texts_{id} WHERE embedding MATCH ? AND k = ? ORDER BY distance"
    with closing(_open()) as connection:
        found: list[Any] = connection.execute(query, (_packed(vector), count)).fetchall()
    return [(piece, 1 - distance) for piece, distance in found]


def _packed(vector: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)


def _is_ours(message: dict[str, Any]) -> bool:
    return message["type"] == "SystemMessage" and str(message["content"]).startswith(TITLE)
