"""What of AutoGen's conversations the Messages API would refuse, or AutoGen's client would raise on."""

from __future__ import annotations

from autogen_core import FunctionCall
from autogen_core.models import AssistantMessage, SystemMessage, UserMessage

from kagent_runtime.components.models.anthropic_wire import acceptable

HELLO = UserMessage(content="hello", source="user")


def test_system_messages_that_are_apart_become_one() -> None:
    """A memory adds one after the conversation began."""
    first, last = acceptable([SystemMessage(content="You look."), HELLO, SystemMessage(content="Remember this.")])
    assert first == SystemMessage(content="You look.\nRemember this.")
    assert last is HELLO


def test_a_conversation_without_a_system_message_stays_as_it_is() -> None:
    """Nothing is made up."""
    assert acceptable([HELLO]) == [HELLO]


def test_arguments_that_are_no_object_are_sent_back_as_one() -> None:
    """And the given message is left alone: it belongs to the agent's memory."""
    calls = [
        FunctionCall(id=str(number), name="look", arguments=text)
        for number, text in enumerate(('{"a": 1}', '{"a": ', "[]", ""))
    ]
    message = AssistantMessage(content=list(calls), source="agent")
    (changed,) = acceptable([message])
    assert isinstance(changed, AssistantMessage)
    assert isinstance(changed.content, list)
    assert [call.arguments for call in changed.content] == [
        '{"a": 1}',
        '{"invalid": "{\\"a\\": "}',
        '{"invalid": "[]"}',
        '{"invalid": ""}',
    ]
    assert message.content == calls
