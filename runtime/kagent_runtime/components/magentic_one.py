"""AutoGen's MagenticOneGroupChat, with what it lacks: memory of the conversation, and patience with its model.

AutoGen 0.7.5 clears every agent when a task arrives and keeps only the newest one, counts rounds over all tasks,
repeats the user's message, and fills in `{task}` in the default prompt only.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from autogen_agentchat.base import TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory, TextMessage
from autogen_agentchat.teams import MagenticOneGroupChat
from autogen_agentchat.teams._group_chat._events import GroupChatStart, GroupChatTermination
from autogen_agentchat.teams._group_chat._magentic_one._magentic_one_group_chat import MagenticOneGroupChatConfig
from autogen_agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator import MagenticOneOrchestrator
from autogen_core import CancellationToken, Component, MessageContext, rpc
from autogen_core.models import AssistantMessage, LLMMessage, UserMessage

from kagent_runtime.components.ledger import LedgerModel

_Item = BaseAgentEvent | BaseChatMessage | GroupChatTermination
EXCHANGES = 10  # the older ones are forgotten: every one is in the prompt of every later task


class _Output:
    """The queue of what the team says, without the task itself, which AutoGen would repeat."""

    def __init__(self, queue: asyncio.Queue[_Item]) -> None:
        self._queue = queue
        self.task_ids: set[str] = set()

    async def put(self, item: _Item) -> None:
        if not isinstance(item, BaseChatMessage) or item.id not in self.task_ids:
            await self._queue.put(item)


class _Orchestrator(MagenticOneOrchestrator):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._models = LedgerModel(self._model_client, self._participant_names, self._name)
        self._model_client = self._models  # type: ignore[assignment]
        self._output = _Output(self._output_message_queue)
        self._output_message_queue = self._output  # type: ignore[assignment]
        self._question = ""
        self._exchanges: list[list[str]] = []

    @rpc
    async def handle_start(self, message: GroupChatStart, ctx: MessageContext) -> None:  # type: ignore[override]
        """A new task, told with the conversation before it."""
        self._models.token = ctx.cancellation_token
        self._remember()
        messages = message.messages or []
        self._question = "\n\n".join(item.to_model_text() for item in messages)
        self._n_rounds = 0
        task = TextMessage(content=self._whole_task(), source="user")
        self._output.task_ids = {task.id}
        if self._termination_condition is not None:
            # The other teams ask it at the start; clocks and meters start then.
            if await self._termination_condition(messages) is not None:
                await self._termination_condition.reset()
        await super().handle_start(GroupChatStart(messages=[task]), ctx)  # type: ignore[call-arg]

    def _remember(self) -> None:
        said = [item for item in self._message_thread if isinstance(item, BaseChatMessage)]
        if self._question and said:
            self._exchanges = [*self._exchanges, [self._question, said[-1].to_model_text()]][-EXCHANGES:]

    def _whole_task(self) -> str:
        if not self._exchanges:
            return self._question
        earlier = "\n\n".join(f"User: {question}\n\nAnswer: {answer}" for question, answer in self._exchanges)
        return f"{self._question}\n\nThe conversation before this request, for reference:\n\n{earlier}"

    async def _orchestrate_step(self, cancellation_token: CancellationToken) -> None:
        if self._max_turns is not None and self._n_rounds >= self._max_turns:
            await self._prepare_final_answer(f"Maximum number of turns {self._max_turns} reached.", cancellation_token)
            return
        await super()._orchestrate_step(cancellation_token)

    async def _update_task_ledger(self, cancellation_token: CancellationToken) -> None:
        await super()._update_task_ledger(cancellation_token)
        self._n_stalls = 0  # AutoGen keeps counting, and would plan anew in every round from now on

    def _get_final_answer_prompt(self, task: str) -> str:
        return self._final_answer_prompt.format(task=task)

    def _thread_to_context(self) -> list[LLMMessage]:
        """As AutoGen's, which fails on structured messages."""
        said = [item for item in self._message_thread if isinstance(item, BaseChatMessage)]
        return [
            AssistantMessage(content=item.to_model_text(), source=item.source)
            if item.source == self._name
            else UserMessage(content=item.to_model_text(), source=item.source)
            for item in said
        ]

    async def _prepare_final_answer(self, reason: str, cancellation_token: CancellationToken) -> None:
        # AutoGen gives the model's own words, of which nobody could tell that they are a stop reason.
        told = reason if reason.startswith("Maximum number") else f"The request is satisfied: {reason}".rstrip(": ")
        await super()._prepare_final_answer(told, cancellation_token)

    async def save_state(self) -> Mapping[str, Any]:
        """AutoGen's, and the conversation."""
        state = await super().save_state()
        return dict(state) | {"question": self._question, "exchanges": self._exchanges}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """AutoGen's, and the conversation."""
        await super().load_state(state)
        self._question, self._exchanges = state.get("question", ""), list(state.get("exchanges", ()))

    async def reset(self) -> None:
        """Forget everything."""
        await super().reset()
        self._question, self._exchanges = "", []


class MagenticOne(MagenticOneGroupChat, Component[MagenticOneGroupChatConfig]):
    """A team that an orchestrator leads."""

    component_config_schema = MagenticOneGroupChatConfig
    component_provider_override = "kagent_runtime.components.MagenticOne"

    def _create_group_chat_manager_factory(
        self,
        name: str,
        group_topic_type: str,
        output_topic_type: str,
        participant_topic_types: list[str],
        participant_names: list[str],
        participant_descriptions: list[str],
        output_message_queue: asyncio.Queue[_Item],
        termination_condition: TerminationCondition | None,
        max_turns: int | None,
        message_factory: MessageFactory,
    ) -> Callable[[], MagenticOneOrchestrator]:
        return lambda: _Orchestrator(
            name,
            group_topic_type,
            output_topic_type,
            participant_topic_types,
            participant_names,
            participant_descriptions,
            max_turns,
            message_factory,
            self._model_client,
            self._max_stalls,
            self._final_answer_prompt,
            output_message_queue,
            termination_condition,
            self._emit_team_events,
        )
