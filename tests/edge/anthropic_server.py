"""A language model that says what the test told it to, over Anthropic's Messages API on loopback."""

from __future__ import annotations

from tests.edge import anthropic_wire
from tests.edge.model_server import Answer, ModelRequest, ModelServer
from tests.edge.openai_wire import JSON
from tests.edge.script import Prompt, Step


class AnthropicServer(ModelServer):
    """The Messages API, answering from `script` as ModelServer does."""

    chat_path = "/messages"

    @property
    def base_url(self) -> str:
        """What an Anthropic client takes as its base URL."""
        return self.origin

    def _check(self, record: ModelRequest) -> None:
        anthropic_wire.check_headers(record.headers, self._api_key)
        anthropic_wire.check_body(record.body)

    def _prompt(self, body: JSON) -> Prompt:
        return anthropic_wire.prompt_of(body)

    def _completion(self, record: ModelRequest, step: Step, number: int) -> Answer:
        return anthropic_wire.Message(record.body, step, number)

    def _envelope(self, status: int, message: str, code: str | None) -> JSON:
        return anthropic_wire.envelope(status, message)
