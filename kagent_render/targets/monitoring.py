"""What a Prometheus Operator reads of each workload: a PodMonitor or ServiceMonitor, and a PrometheusRule.

The job is the workload's name, so `{namespace, job}` is its selector in every rule and on the dashboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.specs.observability import Metrics, Rules, Tracing, milliseconds
from kagent_render.targets.objects import metadata, selector_labels
from kagent_render.targets.templating import render

METRICS_PATH = "/metrics"
JOB_LABEL = "app.kubernetes.io/name"


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """The monitor and the rules, as far as they are asked for."""
    settings = workload.platform.observability
    metrics = settings.metrics if settings else None
    if metrics is None:
        return
    if metrics.monitor != "None":
        kind = metrics.monitor.lower()
        yield f"{kind}.yaml", render(f"monitoring/{kind}.yaml.j2", _monitor(workload, metrics))
    if metrics.rules is not None:
        context = {
            "metadata": _labelled(workload, metrics.rules.labels),
            "group": f"kagent.{workload.name}",
            "rules": list(_rules(workload, metrics.rules)),
        }
        yield "prometheusrule.yaml", render("monitoring/prometheusrule.yaml.j2", context)


def _labelled(workload: Workload, more: dict[str, str]) -> dict[str, Any]:
    fields = metadata(workload)
    merged = more | fields["labels"]
    return fields | {"labels": {key: merged[key] for key in sorted(merged)}}


def _monitor(workload: Workload, metrics: Metrics) -> dict[str, Any]:
    return {
        "metadata": _labelled(workload, metrics.labels),
        "selector": selector_labels(workload),
        "job_label": JOB_LABEL,
        "port": "management" if workload.has_management_port else "http1" if workload.is_knative else "http",
        "path": METRICS_PATH,
        "interval": metrics.interval,
        "timeout": metrics.scrape_timeout,
    }


def _rules(workload: Workload, rules: Rules) -> Iterator[dict[str, Any]]:
    yield _down(workload, rules)
    failed, all_runs = (f"sum(rate(kagent_runs_total{_select(workload, more)}[15m]))" for more in (_FAILED, ""))
    yield _alert(
        workload,
        "KagentRunsFail",
        f"{failed} / {all_runs} > {rules.error_ratio:g}",
        "10m",
        "warning",
        f"Runs of {workload.name} fail",
        "{{ $value | humanizePercentage }} of the runs of the last 15 minutes failed.",
    )
    if rules.tokens_per_hour is not None:
        yield _alert(
            workload,
            "KagentTokenBurn",
            f"sum(increase(kagent_tokens_total{_select(workload)}[1h])) > {rules.tokens_per_hour}",
            "5m",
            "warning",
            f"{workload.name} uses many tokens",
            f"{{{{ $value | humanize }}}} tokens in the last hour; {rules.tokens_per_hour} are expected at most.",
        )


_FAILED = 'outcome="failed"'


def _down(workload: Workload, rules: Rules) -> dict[str, Any]:
    # Scaled to zero there is nothing to scrape, and nothing wrong; else the absence of a pod is what matters.
    up = f"up{_select(workload)}"
    least = workload.scaling.min_replicas if workload.scaling else workload.replicas
    expression = f"absent({up} == 1)" if least else f"max({up}) == 0"
    summary, description = f"{workload.name} is down", f"No pod has answered for {rules.down_minutes} min."
    return _alert(workload, "KagentDown", expression, f"{rules.down_minutes}m", "critical", summary, description)


def _select(workload: Workload, more: str = "") -> str:
    parts = [f'namespace="{workload.namespace}"'] if workload.namespace else []
    return "{" + ",".join([*parts, f'job="{workload.name}"', *([more] if more else [])]) + "}"


def _alert(
    workload: Workload, name: str, expression: str, wait: str, severity: str, summary: str, description: str
) -> dict[str, Any]:
    # The expressions lose their labels, and without them nobody could route an alert or tell two apart.
    labels = {"severity": severity, "namespace": workload.namespace, "job": workload.name}
    return {
        "alert": name,
        "expr": expression,
        "for": wait,
        "labels": {key: value for key, value in labels.items() if value is not None},
        "annotations": {"summary": summary, "description": description},
    }


def check(workload: Workload) -> Iterator[Problem]:
    """What the operator drops in silence, and an endpoint that the exporter would miss."""
    settings = workload.platform.observability
    if settings is None:
        return
    if settings.metrics:
        yield from _check_metrics(workload, settings.metrics)
    if settings.tracing:
        yield from _check_tracing(settings.tracing)


def _check_metrics(workload: Workload, metrics: Metrics) -> Iterator[Problem]:
    place = ("observability", "metrics")
    if metrics.monitor == "ServiceMonitor" and workload.is_knative:
        message = f"the Service of `{workload.name}` is Knative's, without the labels that a ServiceMonitor looks for"
        yield Problem("KR541", message, (*place, "monitor"), "PodMonitor")
    if milliseconds(metrics.scrape_timeout) > milliseconds(metrics.interval):
        message = f"scrapeTimeout `{metrics.scrape_timeout}` is longer than the interval `{metrics.interval}`"
        yield Problem("KR540", message, (*place, "scrapeTimeout"), f"at most {metrics.interval}")
    if metrics.monitor != "None" and not metrics.labels:
        message = f"the {metrics.monitor} has no label that a Prometheus would select it by"
        help = "add labels, as your Prometheus' podMonitorSelector or serviceMonitorSelector has them"
        yield Problem("KR541", message, place, help)


def _check_tracing(tracing: Tracing) -> Iterator[Problem]:
    place = ("observability", "tracing", "endpoint")
    if tracing.endpoint.endswith("/v1/traces"):
        help = f"write {tracing.endpoint.removesuffix('/v1/traces')}"
        yield Problem("KR546", f"the exporter adds `/v1/traces` to `{tracing.endpoint}` itself", place, help)
    if tracing.endpoint.endswith(":4317"):
        help = "OTLP over HTTP is on port 4318, unless your collector is set up otherwise"
        yield Problem("KR547", f"`{tracing.endpoint}` is the usual port of OTLP over gRPC", place, help)
