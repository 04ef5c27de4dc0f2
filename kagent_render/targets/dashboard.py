"""The Grafana dashboard, one for all workloads of a namespace.

One for each workload would be the same panels again and again, and nothing to compare agents on; here a variable
chooses among them, and a new agent appears without a new object.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.lower import Workload
from kagent_render.specs.observability import Dashboard
from kagent_render.targets.objects import RenderedObject
from kagent_render.targets.templating import render

JSON = dict[str, Any]
NAME = "kagent-dashboard"
_DATASOURCE = {"type": "prometheus", "uid": "$datasource"}
_HEIGHT, _WIDTH = 8, 12
# Title, unit, and (expression, legend) of each panel. SELECT is the selector of the chosen workloads.
_PANELS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("Runs, by outcome", "ops", (("sum by (outcome) (rate(kagent_runs_total{SELECT}[RATE]))", "{{outcome}}"),)),
    ("Runs in flight", "short", (("sum by (job) (kagent_runs_in_flight{SELECT})", "{{job}}"),)),
    (
        "Run duration",
        "s",
        (
            ("histogram_quantile(0.5, sum by (le) (rate(kagent_run_duration_seconds_bucket{SELECT}[RATE])))", "median"),
            ("histogram_quantile(0.95, sum by (le) (rate(kagent_run_duration_seconds_bucket{SELECT}[RATE])))", "95 %"),
        ),
    ),
    (
        "Time to first token",
        "s",
        (
            (
                "histogram_quantile(0.95, sum by (job, le) "
                "(rate(kagent_run_time_to_first_token_seconds_bucket{SELECT}[RATE])))",
                "{{job}} 95 %",
            ),
        ),
    ),
    (
        "Tokens per hour, by model",
        "short",
        (("sum by (model, type) (rate(kagent_tokens_total{SELECT}[RATE])) * 3600", "{{model}} {{type}}"),),
    ),
    (
        "Model calls, by outcome",
        "ops",
        (("sum by (model, outcome) (rate(kagent_model_calls_total{SELECT}[RATE]))", "{{model}} {{outcome}}"),),
    ),
    (
        "Model latency, 95 %",
        "s",
        (
            (
                "histogram_quantile(0.95, sum by (model, le) "
                "(rate(kagent_model_call_duration_seconds_bucket{SELECT}[RATE])))",
                "{{model}}",
            ),
        ),
    ),
    (
        "Tool calls, by outcome",
        "ops",
        (("sum by (tool, outcome) (rate(kagent_tool_calls_total{SELECT}[RATE]))", "{{tool}} {{outcome}}"),),
    ),
    (
        "Tool latency, 95 %",
        "s",
        (
            (
                "histogram_quantile(0.95, sum by (tool, le) "
                "(rate(kagent_tool_call_duration_seconds_bucket{SELECT}[RATE])))",
                "{{tool}}",
            ),
        ),
    ),
    ("Messages, by agent", "ops", (("sum by (agent) (rate(kagent_messages_total{SELECT}[RATE]))", "{{agent}}"),)),
    ("Memory", "bytes", (("sum by (pod) (process_resident_memory_bytes{SELECT})", "{{pod}}"),)),
    ("Versions", "short", (("count by (version) (kagent_build_info{SELECT})", "{{version}}"),)),
)


def shared_objects(workloads: Sequence[Workload]) -> Iterator[RenderedObject]:
    """One ConfigMap a namespace."""
    first: dict[str, Workload] = {}
    for workload in workloads:
        first.setdefault(workload.namespace or "", workload)
    for namespace, workload in sorted(first.items()):
        settings = workload.platform.observability
        if settings and settings.metrics and settings.metrics.dashboard:
            context = _context(namespace, settings.metrics.dashboard)
            folder = f"{namespace}/" if namespace else ""
            data = render("monitoring/dashboard.yaml.j2", context)
            yield RenderedObject(data, f"{folder}configmap-{NAME}.yaml", workload.origin)


def _context(namespace: str, settings: Dashboard) -> JSON:
    labels = dict(settings.labels) | {"app.kubernetes.io/managed-by": "kagent-render"}
    fields = {
        "name": NAME,
        "namespace": namespace or None,
        "labels": {key: labels[key] for key in sorted(labels)},
        "annotations": {"grafana_folder": settings.folder} if settings.folder else None,
    }
    return {
        "metadata": {key: value for key, value in fields.items() if value is not None},
        "data": {f"{_uid(namespace)}.json": json.dumps(dashboard(namespace), indent=2) + "\n"},
    }


def _uid(namespace: str) -> str:
    """Grafana's key: the same at every build, and below its 40 characters."""
    return f"kagent-{hashlib.sha256(namespace.encode()).hexdigest()[:16]}"


def dashboard(namespace: str) -> JSON:
    """The dashboard as Grafana imports it."""
    return {
        "uid": _uid(namespace),
        "title": f"Agents in {namespace}" if namespace else "Agents",
        "tags": ["kagent"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(namespace))},
        "panels": [_panel(number, *panel, namespace=namespace) for number, panel in enumerate(_PANELS)],
    }


def _variables(namespace: str) -> Iterator[JSON]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    within = f'{{namespace="{namespace}"}}' if namespace else ""
    yield {
        "name": "workload",
        "label": "Workload",
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": f"label_values(kagent_build_info{within}, job)", "refId": "workload"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
        "sort": 1,
    }


def _panel(number: int, title: str, unit: str, queries: tuple[tuple[str, str], ...], *, namespace: str) -> JSON:
    place = {"x": number % 2 * _WIDTH, "y": number // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": _DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": "ABC"[index],
                "datasource": _DATASOURCE,
                "expr": _expression(query, namespace),
                "legendFormat": text,
            }
            for index, (query, text) in enumerate(queries)
        ],
    }


def _expression(query: str, namespace: str) -> str:
    selector = (f'namespace="{namespace}",' if namespace else "") + 'job=~"$workload"'
    return query.replace("SELECT", selector).replace("RATE", "$__rate_interval")
