"""AutoGen's GraphFlow, with what it lacks: speakers are told, parallel speakers are heard, a new task starts afresh.

AutoGen 0.7.5 asks the termination condition about the last of the members that spoke in parallel only, says
"complete" also where no edge applied, and saves a state that goes on in the middle of the graph.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from autogen_agentchat.base import ChatAgent, TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, MessageFactory, StopMessage
from autogen_agentchat.teams import DiGraph
from autogen_agentchat.teams import GraphFlow as AutoGenGraphFlow
from autogen_agentchat.teams._group_chat._base_group_chat_manager import BaseGroupChatManager
from autogen_agentchat.teams._group_chat._events import GroupChatTermination
from autogen_agentchat.teams._group_chat._graph._digraph_group_chat import GraphFlowConfig as AutoGenConfig
from autogen_agentchat.teams._group_chat._graph._digraph_group_chat import GraphFlowManager
from autogen_core import Component

Messages = Sequence[BaseAgentEvent | BaseChatMessage]
COMPLETE = "The graph is complete"


class GraphFlowConfig(AutoGenConfig):
    """AutoGen's config, with the switch that its other teams have."""

    emit_team_events: bool = False


class _Manager(GraphFlowManager):
    def __init__(self, *arguments: Any, emit_team_events: bool) -> None:
        super().__init__(*arguments)
        self._emit_team_events = emit_team_events
        self._said: list[BaseAgentEvent | BaseChatMessage] = []

    async def update_message_thread(self, messages: Messages) -> None:
        if self._active_speakers:
            await super().update_message_thread(messages)
        else:
            # A task, whose source may have a node's name: an agent of the outer team that is a member here too.
            await BaseGroupChatManager.update_message_thread(self, messages)
        self._said += messages

    async def _apply_termination_condition(self, delta: Messages, increment_turn_count: bool = False) -> bool:
        said, self._said = self._said, []
        if self._ready:
            # Past the check of the parent, which is for the other case.
            stopped = await BaseGroupChatManager._apply_termination_condition(self, said, increment_turn_count)
            if stopped:
                self._reset_execution_state()
            return stopped
        condition = self._termination_condition
        stop = await condition(said) if condition is not None else None
        if condition is not None:
            await condition.reset()
        self._reset_execution_state()
        self._current_turn = 0
        await self._signal_termination(stop or StopMessage(content=self._ending(said), source=self._name))
        return True

    def _ending(self, said: Messages) -> str:
        """A member without further edges has spoken; or an answer had none of the texts; or a join waits."""
        spoken = [item for item in said if isinstance(item, BaseChatMessage) and item.source in self._edges]
        if any(not self._edges[item.source] for item in spoken):
            return COMPLETE
        for item in spoken:
            edges = self._edges[item.source]
            if not any(edge.check_condition(item) for edge in edges):
                texts = ", ".join(f"`{edge.condition}`" for edge in edges)
                return f"The graph ends early: the message of {item.source} has none of {texts}"
        return "The graph ends early: the next member waits for one that does not speak"

    def _reset_execution_state(self) -> None:
        super()._reset_execution_state()
        self._triggered_activation_groups = {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """The messages so far. Where the graph stood is not kept: a task starts at its start."""
        await super().load_state(state)
        self._reset_execution_state()
        self._current_turn = 0


class GraphFlow(AutoGenGraphFlow, Component[GraphFlowConfig]):
    """A team whose speakers follow a graph."""

    component_config_schema = GraphFlowConfig
    component_provider_override = "kagent_runtime.components.GraphFlow"

    def __init__(self, participants: list[ChatAgent], graph: DiGraph, *, emit_team_events: bool, **options: Any):
        super().__init__(participants, graph, **options)
        graph.graph_validate()  # AutoGen would only when the first message arrives
        self._emit_team_events = emit_team_events

    def _create_group_chat_manager_factory(
        self,
        name: str,
        group_topic_type: str,
        output_topic_type: str,
        participant_topic_types: list[str],
        participant_names: list[str],
        participant_descriptions: list[str],
        output_message_queue: asyncio.Queue[BaseAgentEvent | BaseChatMessage | GroupChatTermination],
        termination_condition: TerminationCondition | None,
        max_turns: int | None,
        message_factory: MessageFactory,
    ) -> Callable[[], GraphFlowManager]:
        return lambda: _Manager(
            name,
            group_topic_type,
            output_topic_type,
            participant_topic_types,
            participant_names,
            participant_descriptions,
            output_message_queue,
            termination_condition,
            max_turns,
            message_factory,
            self._graph,
            emit_team_events=self._emit_team_events,
        )

    @classmethod
    def _from_config(cls, config: GraphFlowConfig) -> Self:  # type: ignore[override]
        condition = config.termination_condition
        return cls(
            [ChatAgent.load_component(participant) for participant in config.participants],
            config.graph,
            name=config.name,
            description=config.description,
            termination_condition=TerminationCondition.load_component(condition) if condition else None,
            max_turns=config.max_turns,
            emit_team_events=config.emit_team_events,
        )
