"""The Prometheus metrics: names, labels and buckets in one place. Labels hold names of the config only.

No session, user or text is ever a label. The library's counters lock by themselves, so any thread may count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from kagent_runtime import __version__

REGISTRY = CollectorRegistry(auto_describe=False)
RUN_OUTCOMES = ("completed", "failed", "cancelled")
CALL_OUTCOMES = ("ok", "error", "cancelled")
MAX_LABEL_VALUES = 200
OTHER = "other"
# A model takes seconds, a team minutes; a Kubernetes tool milliseconds.
_RUN_SECONDS = (0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600)
_MODEL_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120)
_TOOL_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def _counter(name: str, help: str, *labels: str) -> Counter:
    return Counter(name, help, labels, registry=REGISTRY)


def _histogram(name: str, help: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, help, labels, registry=REGISTRY, buckets=buckets)


BUILD = Gauge("kagent_build_info", "The running version; always 1.", ["version", "workload", "kind"], registry=REGISTRY)
RUNS_IN_FLIGHT = Gauge("kagent_runs_in_flight", "Runs that go on now.", registry=REGISTRY)
RUNS_QUEUED = Gauge("kagent_runs_queued", "Runs that wait for a place.", registry=REGISTRY)
RUNS_REFUSED = _counter("kagent_runs_refused_total", "Messages refused because the queue was full.")
RUNS = _counter("kagent_runs_total", "Runs that ended, by outcome.", "outcome")
RUN_SECONDS = _histogram("kagent_run_duration_seconds", "Duration of a run.", _RUN_SECONDS)
FIRST_TOKEN_SECONDS = _histogram(
    "kagent_run_time_to_first_token_seconds", "From the start of a run to the first text of its answer.", _MODEL_SECONDS
)
MESSAGES = _counter("kagent_messages_total", "Whole messages of an agent.", "agent")
MODEL_CALLS = _counter("kagent_model_calls_total", "Calls of a model, by outcome.", "model", "outcome")
MODEL_SECONDS = _histogram("kagent_model_call_duration_seconds", "Duration of a model call.", _MODEL_SECONDS, "model")
TOKENS = _counter("kagent_tokens_total", "Tokens that a model read (input) and wrote (output).", "model", "type")
COST = _counter("kagent_cost_total", "What the tokens of a model cost, by the prices of its spec.", "model", "currency")
TOOL_CALLS = _counter("kagent_tool_calls_total", "Calls of a tool, by outcome.", "tool", "outcome")
TOOL_SECONDS = _histogram("kagent_tool_call_duration_seconds", "Duration of a tool call.", _TOOL_SECONDS, "tool")
ProcessCollector(registry=REGISTRY)


class LabelValues:
    """Keeps a label within bounds: a name beyond the first few hundred becomes `other`."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, name: str) -> str:
        """The value to count under."""
        if name not in self._seen:
            if len(self._seen) >= MAX_LABEL_VALUES:
                return OTHER
            self._seen.add(name)
        return name


def prepare(workload: str, kind: str, agents: Iterable[str], models: Iterable[str]) -> None:
    """Create every series known beforehand at 0: a rate over a series that appears with its first count is blind."""
    BUILD.labels(__version__, workload, kind).set(1)
    for outcome in RUN_OUTCOMES:
        RUNS.labels(outcome)
    for agent in agents:
        MESSAGES.labels(agent)
    for model in models:
        MODEL_SECONDS.labels(model)
        for type in ("input", "output"):
            TOKENS.labels(model, type)
        for outcome in CALL_OUTCOMES:
            MODEL_CALLS.labels(model, outcome)


def exposition(accept: str) -> tuple[bytes, str]:
    """All metrics in the format that the scraper asks for, and its content type."""
    encode: Callable[[CollectorRegistry], bytes]
    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type
