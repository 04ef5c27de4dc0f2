"""Replayed models in real AutoGen agents and teams: each conversation uses what is offered, and ends."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

import pytest
from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.messages import (
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    TextMessage,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, SystemMessage, UserMessage

from kagent_runtime.demo.answers import LABEL
from kagent_runtime.demo.replay import ReplayModel, with_replay_models
from tests.runtime.demo.trees import PODS, Tree, agent, at_most, either, mention, team

QUESTION = "Why does the shop answer DONE so slowly?"


def load(tree: Tree) -> Any:
    """The instance the runtime would build."""
    loader: Any = Team if tree["component_type"] == "team" else ChatAgent
    return loader.load_component(with_replay_models(tree, word_delay_ms=0))


async def ask(instance: Any, question: str = QUESTION) -> TaskResult:
    """One turn."""
    result = await instance.run(task=question)
    assert isinstance(result, TaskResult)
    return result


def spoken(result: TaskResult) -> list[str]:
    """Who said something, the user left out."""
    return [m.source for m in result.messages if isinstance(m, TextMessage) and m.source != "user"]


def calls(result: TaskResult) -> list[tuple[str, dict[str, Any]]]:
    """The tool calls, handoffs included."""
    events = [m for m in result.messages if isinstance(m, ToolCallRequestEvent)]
    return [(call.name, json.loads(call.arguments)) for event in events for call in event.content]


def last_text(result: TaskResult) -> str:
    """The last message."""
    message = result.messages[-1]
    assert isinstance(message, TextMessage)
    return message.content


def test_the_input_tree_is_left_as_it_was() -> None:
    tree = team("Selector", agent("a"), agent("b"), ending=mention("DONE", "b"))
    before = copy.deepcopy(tree)
    with_replay_models(tree)
    assert tree == before


def test_every_model_of_nested_teams_is_replaced_and_nothing_else() -> None:
    tree = team("RoundRobin", team("Selector", agent("a"), agent("b"), name="inner"), agent("c"))
    text = json.dumps(with_replay_models(tree))
    assert "components.ModelClient" not in text
    assert text.count("demo.replay.ReplayModel") == 4
    assert "KAGENT_M_API_KEY" not in text


async def test_an_agent_calls_its_tool_and_quotes_what_it_returned() -> None:
    result = await ask(load(agent("ops", tools=True)))
    assert calls(result) == [("list-things", {"resource": "pods"})]
    answer = last_text(result)
    assert answer.startswith(LABEL)
    assert PODS.splitlines()[2] in answer
    assert PODS.splitlines()[1] not in answer


async def test_a_second_question_calls_the_tool_again_under_a_new_id() -> None:
    ops = load(agent("ops", tools=True))
    ids = []
    for question in ("first?", "second?"):
        result = await ask(ops, question)
        assert f"You asked: “{question}”" in last_text(result)
        events = [m for m in result.messages if isinstance(m, ToolCallExecutionEvent)]
        ids += [item.call_id for event in events for item in event.content]
    assert len(ids) == len(set(ids)) == 2


async def test_an_agent_without_tools_says_what_it_was_asked_and_what_it_is_for() -> None:
    answer = last_text(await ask(load(agent("poet", prompt="You write poems.\nShort ones."))))
    assert answer.startswith(LABEL)
    assert QUESTION in answer
    assert "You write poems." in answer
    assert "Short ones." not in answer


async def test_it_answers_when_one_round_of_tools_is_all_that_is_allowed() -> None:
    result = await ask(load(agent("ops", tools=True, loops=1)))
    assert last_text(result).startswith(LABEL)


async def test_the_answer_streams_in_words_that_add_up_to_it() -> None:
    items = [item async for item in load(agent("poet")).run_stream(task=QUESTION)]
    chunks = [item.content for item in items if isinstance(item, ModelClientStreamingChunkEvent)]
    assert len(chunks) > 10
    assert "".join(chunks) == last_text(items[-1])


async def test_two_runs_say_the_same() -> None:
    tree = team("Swarm", agent("a", tools=True, handoffs=("b",)), agent("b"), ending=mention("DONE", "b"))
    first, second = [[m.to_text() for m in (await ask(load(tree))).messages] for _ in range(2)]
    assert first == second


async def test_round_robin_gives_each_a_part_and_the_last_one_ends() -> None:
    members = [agent("a", tools=True), agent("b", prompt='Say "DONE" at the end.'), agent("c")]
    result = await ask(load(team("RoundRobin", *members, ending=mention("DONE", "a", "b", "c"))))
    assert spoken(result) == ["a", "b", "c"]
    assert last_text(result).endswith("DONE")
    assert result.stop_reason is not None
    assert "DONE" in result.stop_reason


async def test_only_the_source_of_the_text_condition_ends_the_team() -> None:
    ending = either(at_most(12), mention("DONE", "a"))
    result = await ask(load(team("RoundRobin", agent("a"), agent("b"), ending=ending)))
    assert spoken(result) == ["a", "b", "a"]


async def test_the_selector_names_the_participants_in_order() -> None:
    members = [agent("a"), agent("b"), agent("c")]
    result = await ask(load(team("Selector", *members, ending=mention("DONE", "a", "b", "c"))))
    assert spoken(result) == ["a", "b", "c"]
    assert last_text(result).endswith("DONE")


async def test_the_selector_starts_again_with_a_second_question() -> None:
    crew = load(team("Selector", agent("a"), agent("b"), agent("c"), ending=mention("DONE", "a", "b", "c")))
    await ask(crew)
    assert spoken(await ask(crew, "and now?")) == ["a", "b", "c"]


async def test_the_selector_knows_the_members_of_nested_teams() -> None:
    inner = team("RoundRobin", agent("a"), agent("b"), max_turns=2, name="inner")
    result = await ask(load(team("Selector", inner, agent("c"), ending=mention("DONE", "c"))))
    assert spoken(result) == ["a", "b", "c"]


async def test_a_swarm_hands_over_to_who_has_not_spoken_and_ends() -> None:
    members = [
        agent("a", tools=True, handoffs=("c", "b")),
        agent("b", handoffs=("a", "c")),
        agent("c", handoffs=("a",)),
    ]
    result = await ask(load(team("Swarm", *members, ending=either(mention("DONE", "c"), at_most(30)))))
    handoffs = [m.target for m in result.messages if isinstance(m, HandoffMessage)]
    assert handoffs == ["b", "c"]
    assert spoken(result) == ["a", "b", "c"]
    assert calls(result)[1] == ("transfer_to_b", {})
    assert last_text(result).endswith("DONE")


async def test_a_swarm_around_a_hub_returns_to_the_hub() -> None:
    members = [agent("hub", handoffs=("x", "y")), agent("x", handoffs=("hub",)), agent("y", handoffs=("hub",))]
    result = await ask(load(team("Swarm", *members, ending=mention("DONE", "hub"))))
    assert [m.target for m in result.messages if isinstance(m, HandoffMessage)] == ["x", "hub", "y", "hub"]
    assert last_text(result).endswith("DONE")


async def test_a_nested_team_gives_its_part_and_the_outer_team_ends() -> None:
    inner = team("RoundRobin", agent("a"), agent("b"), ending=mention("OVER", "b"), name="inner")
    result = await ask(load(team("RoundRobin", inner, agent("c"), ending=mention("DONE", "c"))))
    assert spoken(result) == ["a", "b", "c"]
    assert last_text(result).endswith("DONE")


@pytest.mark.parametrize("pattern", ["RoundRobin", "Selector"])
async def test_a_team_that_no_text_ends_stops_at_its_turns(pattern: str) -> None:
    result = await ask(load(team(pattern, agent("a"), agent("b"), max_turns=5)))
    assert len(spoken(result)) == 5


def _client(tree: Tree) -> ReplayModel:
    client = ChatCompletionClient.load_component(with_replay_models(tree, word_delay_ms=5)["config"]["model_client"])
    assert isinstance(client, ReplayModel)
    return client


async def test_usage_is_estimated_from_words() -> None:
    client = _client(agent("poet"))
    messages: list[LLMMessage] = [SystemMessage(content="You do it."), UserMessage(content="Go on", source="user")]
    result = await client.create(messages)
    assert isinstance(result.content, str)
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (5, len(result.content.split()))
    assert client.total_usage() == result.usage


async def test_a_cancelled_token_stops_the_stream() -> None:
    token = CancellationToken()
    words: list[str | CreateResult] = []

    async def stream() -> None:
        async for word in _client(agent("poet")).create_stream([], cancellation_token=token):
            words.append(word)
            if len(words) == 2:
                token.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stream()
    assert len(words) == 2
