"""A page for each tool type, as Markdown: what its tools do, take, and may do in the cluster and on the network.

From the declarations that the compiler itself uses: a sample of each operation is lowered as a spec would be.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from kagent_render.catalog.base import AccessRule, LoweredTool
from kagent_render.catalog.tools.base import ToolDeclaration, ToolType
from kagent_render.catalog.tools.github_operations import ENTRIES as GITHUB
from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.catalog.tools.tool_sets import TOOL_SETS
from kagent_render.specs.tool import ToolSpec

Spec = Mapping[str, Any]


class _Plain(yaml.SafeDumper):
    """Without anchors: samples share what they say."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True


_CHART = {"name": "oci://registry.example.com/charts/shop"}
_COMMANDS = [["nginx", "-T"], ["df", "-h"], ["cat", "/etc/nginx/*"]]
_TOKEN = {"name": "github", "key": "token"}
_NARROWED = {"branches": ["agent/*"], "paths": ["docs/**", "charts/*/values.yaml"]}
_PARAMETER = {"order": {"type": "string", "description": "Number of the order", "required": True}}
_SERVER = {"image": "ghcr.io/acme/payments-mcp:1.4.0", "egress": [{"host": "ledger.data.svc", "port": 5432}]}
# A tool for each thing that a type does, where a built-in does not show it: its name, and its spec without `type`.
_SAMPLES: Mapping[str, Mapping[str, Spec]] = {
    "kubernetes": {"kubectl-exec": {"kubernetes": {"operation": "exec", "commands": _COMMANDS}}},
    "helm": {f"helm-{name}": {"helm": {"operation": name, "chart": _CHART}} for name in ("install", "upgrade")},
    "agent": {"ask-the-incident-team": {"agent": {"name": "incident", "kind": "AgentTeam"}}},
    "python": {
        "forecast": {"parameters": _PARAMETER, "python": {"module": "acme_platform.orders", "function": "forecast"}}
    },
    "mcp": {
        "orders": {"mcp": {"url": "https://orders.tools.svc:8443/mcp", "tools": ["find_order", "cancel_order"]}},
        "payments": {"mcp": {"server": _SERVER | {"placement": "Deployment"}, "tools": ["find_payment"]}},
        "payments-beside-the-agent": {"mcp": {"server": _SERVER | {"placement": "Sidecar"}, "tools": ["find_payment"]}},
    },
    "github": {
        name.replace("_", "-"): {
            "description": entry.summary,
            "github": {"operation": name, "repositories": ["acme/shop"], "tokenSecretRef": _TOKEN}
            | {field: value for field, value in _NARROWED.items() if field in entry.narrowed_by},
        }
        for name, entry in GITHUB.items()
    },
    "http": {
        "order-status": {"parameters": _PARAMETER, "http": {"url": "https://shop.example.com/orders/{order}"}},
        "cancel-order": {
            "parameters": _PARAMETER,
            "http": {"method": "DELETE", "url": "https://shop.example.com/orders/{order}"},
        },
    },
}
_EFFECTS = {
    "reads": "Only reads.",
    "changes": "Changes something.",
    "calls": "What it does is up to whom it calls.",
}


def tool_pages() -> dict[str, str]:
    """The text of each page by its file name."""
    return {f"{name}.md": _page(name, TOOL_TYPES[name]) for name in sorted(TOOL_TYPES)}


def _page(name: str, tool_type: ToolType) -> str:
    about = inspect.getdoc(tool_type)
    head, _, rest = (about or "").partition("\n\n")
    lines = [f"# Tool type `{name}`", "", _sentence(head.partition(": ")[2] or head)]
    lines += ["", " ".join(rest.split())] if rest else []
    lines += ["", "Written by `kagent-render schema --tools DIR`. Its fields: `kagent-render explain tool.spec." + name]
    lines[-1] += "`, or the [reference](../REFERENCE.md)."
    if sets := [word for word, tools in TOOL_SETS.items() if set(tools) <= set(tool_type.BUILTINS)]:
        lines += ["", f"Granted together by `toolSets: [{', '.join(sets)}]`."]
    for title, sample, declaration in _tools(name, tool_type):
        lines += ["", *_tool(title, sample, declaration, tool_type)]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _tools(name: str, tool_type: ToolType) -> Iterator[tuple[str, Spec | None, ToolDeclaration]]:
    for builtin in tool_type.BUILTINS:
        yield f"`{builtin}`, built in", None, ToolDeclaration(builtin, None, None, None)
    for title, sample in _SAMPLES.get(name, {}).items():
        spec = ToolSpec.model_validate({"type": name, "description": "…", **sample})
        block, description = getattr(spec, name), sample.get("description")
        yield f"For example `{title}`", sample, ToolDeclaration(title, description, spec.parameters, block, (name,))


def _tool(title: str, sample: Spec | None, declaration: ToolDeclaration, tool_type: ToolType) -> Iterator[str]:
    problems = list(tool_type.check(declaration))
    assert not problems, problems
    lowered = tool_type.lower(declaration)
    yield from (f"## {title}", "")
    if sample is not None:
        shown = {name: value for name, value in sample.items() if name != "description"}  # it follows in words
        yield from (
            "```yaml",
            yaml.dump(shown, Dumper=_Plain, sort_keys=False, default_flow_style=None).strip(),
            "```",
            "",
        )
    if text := str(lowered.config.get("description") or ""):
        yield from (text, "")
    approval = (
        "" if lowered.is_approved_by_default else " A person approves every call, unless the grant says otherwise."
    )
    yield _EFFECTS[lowered.effect] + approval
    yield from _parameters(lowered.config.get("parameters") or {})
    yield from _access(lowered)
    if lowered.token_permissions:
        yield from ("", f"The token needs: {', '.join(lowered.token_permissions)}.")
    yield from _network(lowered)
    yield from _server(lowered)


def _parameters(schema: Mapping[str, Any]) -> Iterator[str]:
    properties = schema.get("properties") or {}
    if not properties:
        return
    yield from ("", "| argument | type | |", "|---|---|---|")
    yield from _rows(schema)


def _rows(schema: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for name, item in schema["properties"].items():
        shown = f"**`{place}{name}`**" if name in schema.get("required", ()) else f"`{place}{name}`"
        choices = f"; one of {', '.join(map(str, item['enum']))}" if "enum" in item else ""
        yield f"| {shown} | {item['type']} | {str(item['description']).replace('|', chr(92) + '|')}{choices} |"
        if "items" in item:
            yield from _rows(item["items"], f"{place}{name}[].")


def _access(lowered: LoweredTool) -> Iterator[str]:
    if not lowered.needs_kubernetes_api:
        return
    yield ""
    if not lowered.access:
        yield "RBAC: nothing; Kubernetes lets everyone who is authenticated read this (`system:discovery`)."
        return
    yield from ("| RBAC: API group | resources | verbs | where |", "|---|---|---|---|")
    for group, resources, verbs, place in _rules(lowered.access):
        yield f"| {group or 'core'} | {', '.join(resources)} | {', '.join(verbs)} | {place} |"


def _rules(access: Iterable[AccessRule]) -> Iterator[tuple[str, list[str], list[str], str]]:
    """Resources of a group that have the same verbs in the same place, together."""
    verbs: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for rule in access:
        verbs[rule.namespace, rule.group, rule.resource].add(rule.verb)
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (namespace, group, resource), found in sorted(verbs.items()):
        together[namespace, group, tuple(sorted(found))].append(resource)
    for (namespace, group, found_verbs), resources in sorted(together.items()):
        place = "the whole cluster" if namespace == "*" else "its namespaces"
        yield group, resources, list(found_verbs), place


def _network(lowered: LoweredTool) -> Iterator[str]:
    hosts = [f"{endpoint.host} on TCP {endpoint.port}" for endpoint in sorted(lowered.needs.endpoints)]
    hosts += ["the Kubernetes API server"] if lowered.needs_kubernetes_api else []
    if hosts:
        yield from ("", f"Network: {', '.join(hosts)}.")


def _server(lowered: LoweredTool) -> Iterator[str]:
    server = lowered.server
    if server is None:
        return
    calls = ", ".join(f"{item.host} on TCP {item.port}" for item in sorted(server.endpoints)) or "nobody"
    if server.is_sidecar:
        place = f"a container in every pod of each workload that uses the tool, at {server.url_at('127.0.0.1')}"
        network = f"the pod, with the agent in it, may call {calls}"
    else:
        place = f"a Deployment of its own, which its users share, at {server.url_at(server.name)}"
        network = f"only its users may call it, and it may call {calls}"
    yield from ("", f"Server: {server.image}, as {place}; {network}.")
