"""What our own termination conditions share: they fire once, until they are reset."""

from abc import abstractmethod
from collections.abc import Sequence

from autogen_agentchat.base import TerminatedException, TerminationCondition
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage

Messages = Sequence[BaseAgentEvent | BaseChatMessage]


class Condition(TerminationCondition):
    """A condition with a reason. AutoGen asks it with the user's message, then after every turn."""

    _terminated = False

    @property
    def terminated(self) -> bool:
        """Whether it has fired since the last reset."""
        return self._terminated

    async def __call__(self, messages: Messages) -> StopMessage | None:
        """The stop, once. Raises TerminatedException when asked again."""
        if self._terminated:
            raise TerminatedException("the condition has fired already")
        reason = self._reason(messages)
        if reason is None:
            return None
        self._terminated = True
        return StopMessage(content=reason, source=type(self).__name__)

    async def reset(self) -> None:
        """Start afresh."""
        self._terminated = False

    @abstractmethod
    def _reason(self, messages: Messages) -> str | None:
        """Why to stop; None to go on."""
