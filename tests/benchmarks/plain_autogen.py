"""The same conversations with AutoGen alone: no API, nothing kept, nothing measured but the turns.

python -m tests.benchmarks.plain_autogen URL SESSIONS TURNS EVERY: prints the seconds of every turn as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_core.models import ModelFamily, ModelInfo
from autogen_ext.models.openai import OpenAIChatCompletionClient

_INFO = ModelInfo(
    vision=False, function_calling=True, json_output=True, structured_output=True, family=ModelFamily.UNKNOWN
)


async def _turn(agent: AssistantAgent) -> float:
    started = time.monotonic()
    items = [item async for item in agent.run_stream(task="How is it going?")]  # to its end: it detaches spans there
    assert isinstance(items[-1], TaskResult)
    return time.monotonic() - started


async def _session(
    client: OpenAIChatCompletionClient, number: int, sessions: int, turns: int, every: float
) -> list[float]:
    agent = AssistantAgent(f"agent{number}", client, system_message="You are solo.", model_client_stream=True)
    await asyncio.sleep(every * number / sessions)
    taken = []
    for _ in range(turns):
        taken.append(await _turn(agent))
        await asyncio.sleep(max(every - taken[-1], 0))
    return taken


async def main(url: str, sessions: int, turns: int, every: float) -> None:
    """Run them all."""
    client = OpenAIChatCompletionClient(model="slow", base_url=url, api_key="none", model_info=_INFO)
    before = time.process_time()
    taken = await asyncio.gather(*(_session(client, n, sessions, turns, every) for n in range(sessions)))
    spent = time.process_time() - before
    memory = int(open("/proc/self/statm").read().split()[1]) * 4096
    print(json.dumps({"seconds": [one for session in taken for one in session], "memory": memory, "cpu": spent}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
