"""The orchestrator's model: a progress ledger that is not as asked for is asked for again.

AutoGen 0.7.5 ends the run on a next speaker that does not exist, on a missing key and on prose around the JSON.
"""

import json
from collections.abc import Sequence
from typing import Any

from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, ChatCompletionClient, CreateResult, LLMMessage, ModelInfo, UserMessage
from autogen_core.utils import extract_json_from_str

from kagent_runtime.components.model_client import ModelError
from kagent_runtime.meter import METER

ATTEMPTS = 4
_MARK = '"is_request_satisfied": {'
_KEYS = ("is_request_satisfied", "is_progress_being_made", "is_in_loop", "instruction_or_question", "next_speaker")


class LedgerModel:
    """What the orchestrator needs of a model client. `token` stops its calls."""

    def __init__(self, inner: ChatCompletionClient, participants: Sequence[str], source: str) -> None:
        self._inner, self._participants, self._source = inner, list(participants), source
        self.token: CancellationToken | None = None

    @property
    def model_info(self) -> ModelInfo:
        """What the model can do."""
        return self._inner.model_info

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        json_output: Any = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """An answer; of a ledger a valid one. Raises ModelError when the model gives none."""
        asked = list(messages)
        if json_output is not None and self.model_info["json_output"]:
            json_output = True  # the SDK raises on an answer that is not in the schema, tokens uncounted
        if _MARK not in str(asked[-1].content):
            return await self._inner.create(asked, cancellation_token=cancellation_token or self.token)
        problem = ""
        for _ in range(ATTEMPTS):
            token = cancellation_token or self.token  # AutoGen passes none with a schema: a cancel would wait
            result = await self._inner.create(asked, json_output=json_output, cancellation_token=token)
            text = result.content if isinstance(result.content, str) else ""
            ledger, problem = read_ledger(text, self._participants)
            if ledger is not None:
                return result.model_copy(update={"content": json.dumps(ledger)})
            asked += [AssistantMessage(content=text, source=self._source), self._again(problem)]
        failure = ModelError(f"the orchestrator's model gives no valid ledger, in {ATTEMPTS} attempts: {problem}")
        if (meter := METER.get()) is not None:
            meter.failure = failure
        raise failure

    def _again(self, problem: str) -> UserMessage:
        text = f"That was not valid: {problem}. Answer again with the one JSON object in the schema, and nothing else."
        return UserMessage(content=text, source=self._source)


def read_ledger(text: str, participants: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
    """The ledger in an answer, or what is wrong with it."""
    try:
        found = extract_json_from_str(text)
    except ValueError:
        return None, "it is not JSON"
    ledger = found[0] if len(found) == 1 else None
    if not isinstance(ledger, dict):
        return None, "it is not one JSON object"
    for key in _KEYS:
        entry = ledger.get(key)
        if not isinstance(entry, dict) or "answer" not in entry:
            return None, f"`{key}` has no `answer`"
        entry.setdefault("reason", "")
    speaker, only = ledger["next_speaker"], participants[0] if len(participants) == 1 else None
    speaker["answer"] = only or str(speaker["answer"]).strip()
    if not ledger["is_request_satisfied"]["answer"] and speaker["answer"] not in participants:
        return None, f"`next_speaker` must be one of {', '.join(participants)}"
    ledger["instruction_or_question"]["answer"] = str(ledger["instruction_or_question"]["answer"])
    return ledger, ""
