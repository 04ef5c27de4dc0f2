"""What operators see: metrics for a Prometheus Operator, alerts, a Grafana dashboard, OpenTelemetry traces."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import Namespace, SpecModel, Text, matching

# As the Prometheus Operator reads them (its CRD): no decimals, units in descending order.
_DURATION = re.compile(r"([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?\Z")
_LABEL = r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_ATTRIBUTE = r"[A-Za-z][A-Za-z0-9_.-]{0,127}"
_LabelName = Annotated[str, matching(_LABEL, "name", "a label of Kubernetes, as in app or example.com/app")]
_AttributeName = Annotated[
    str, matching(_ATTRIBUTE, "name", "letters, digits, `_`, `.` and `-`, starting with a letter")
]


def _duration(value: str) -> str:
    if not value or not _DURATION.match(value):
        raise PydanticCustomError("value", "{rule}", {"rule": "a duration such as 30s or 1m30s, without decimals"})
    return value


Duration = Annotated[str, AfterValidator(_duration)]
Labels = dict[_LabelName, Annotated[str, Field(max_length=63)]]


def _collector_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or any(character.isspace() for character in value):
        raise PydanticCustomError("value", "{rule}", {"rule": "an http:// or https:// URL without `?` or `#`"})
    if parts.username or parts.password:
        raise PydanticCustomError("secret", "a URL with a user or password")
    return value.rstrip("/")


CollectorUrl = Annotated[str, AfterValidator(_collector_url)]


class Rules(SpecModel):
    """Alerts of every workload: it is down, too many runs fail, it uses too many tokens."""

    labels: Labels = Field(default_factory=dict, description="Labels that your Prometheus selects rules by.")
    error_ratio: float = Field(default=0.1, gt=0, lt=1, description="Alert when more of the runs fail.")
    tokens_per_hour: int | None = Field(default=None, ge=1, description="Alert when a workload uses more.")
    down_minutes: int = Field(default=5, ge=1, le=1440, description="How long nothing has to answer.")


class Dashboard(SpecModel):
    """A Grafana dashboard for the workloads of each namespace, as a ConfigMap for Grafana's sidecar."""

    labels: Labels = Field(
        default_factory=lambda: {"grafana_dashboard": "1"}, description="Labels that the sidecar selects by."
    )
    folder: Text | None = Field(default=None, description="Grafana's folder.")


class Metrics(SpecModel):
    """Scrape `/metrics` of every workload."""

    monitor: Literal["PodMonitor", "ServiceMonitor", "None"] = Field(
        default="PodMonitor", description="What the Prometheus Operator reads; None: you scrape by other means."
    )
    labels: Labels = Field(default_factory=dict, description="Labels that your Prometheus selects monitors by.")
    interval: Duration = Field(default="30s", description="Time between two scrapes.")
    scrape_timeout: Duration = Field(default="10s", description="At most the interval.")
    prometheus_namespace: Namespace = Field(
        default="monitoring", description="From where Prometheus may call the pods."
    )
    rules: Rules | None = Field(default=None, description="Alerts, as a PrometheusRule a workload.")
    dashboard: Dashboard | None = Field(default=None, description="A Grafana dashboard.")


class Tracing(SpecModel):
    """Send OpenTelemetry traces of runs, model calls and tool calls. Nothing that is said is in them."""

    endpoint: CollectorUrl = Field(description="Base URL of the collector's OTLP over HTTP, such as http://otel:4318.")
    protocol: Literal["http/protobuf"] = Field(default="http/protobuf", description="How they go there.")
    sample_ratio: float = Field(default=1.0, ge=0, le=1, description="Share of the traces that start here.")
    resource_attributes: dict[_AttributeName, Text] = Field(
        default_factory=dict, description="More attributes of every span, such as deployment.environment.name."
    )


class Audit(SpecModel):
    """The audit log: a line of JSON a tool call in the pod's own log, with who had it made and who allowed it."""

    arguments: Literal["Omitted", "Hashed", "Redacted"] = Field(
        default="Hashed", description="Redacted: as they are, less what looks like a credential."
    )


class Observability(SpecModel):
    """What operators see of the workloads."""

    metrics: Metrics | None = Field(default=None, description="What a Prometheus reads.")
    tracing: Tracing | None = Field(default=None, description="Where traces go.")
    audit: Audit | None = Field(default=None, description="What the audit log tells.")


_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def milliseconds(duration: str) -> int:
    """The length of a Duration."""
    total, number, unit = 0, "", ""
    for character in duration + "0":
        if character.isdigit() and unit:
            total, number, unit = total + int(number) * _UNITS[unit], "", ""
        if character.isdigit():
            number += character
        else:
            unit += character
    return total
