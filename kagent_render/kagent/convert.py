"""All resources of the files given, together: who uses which tool server decides which Tools there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kagent_render.diagnostics import Diagnostics
from kagent_render.kagent import agent, model_config, team, tool_servers
from kagent_render.kagent.fields import Resource
from kagent_render.kagent.shared_models import share_models
from kagent_render.kagent.spec import Spec
from kagent_render.kagent.tool_servers import ToolServer
from kagent_render.source import Document

Models = dict[tuple[str | None, str], str]
Servers = dict[tuple[str | None, str], ToolServer]
_GROUP = "kagent.dev/"
_METADATA = {
    "metadata.labels": "labels of a tool server are not needed on a Tool",
    "metadata.annotations": "annotations of a tool server are not needed on a Tool",
}
_UNSUPPORTED = {
    "Agent": agent.UNSUPPORTED | _METADATA,
    "ModelConfig": model_config.UNSUPPORTED | _METADATA,
    "Team": team.UNSUPPORTED | _METADATA,
} | {kind: tool_servers.UNSUPPORTED | _METADATA for kind in tool_servers.KINDS}
_HARMLESS = ("Memory", "ModelProviderConfig")  # what refers to them is named where it does
_REASONS = {
    "Secret": "Secrets are named in specs and never read: keep creating it as before",
    "Role": "permissions are derived from the tools that are granted",
    "RoleBinding": "permissions are derived from the tools that are granted",
    "ClusterRole": "permissions are derived from the tools that are granted",
    "ClusterRoleBinding": "permissions are derived from the tools that are granted",
    "Memory": "there is no Pinecone memory",
    "ModelProviderConfig": "models are not discovered; a ModelConfig names one",
    "SandboxAgent": "agents run as plain pods",
    "AgentHarness": "agents run as plain pods",
    "Harness": "agents run as plain pods",
    "AgentTemplate": "the third generation of kagent needs Agent Substrate",
}


def convert(documents: Sequence[Document], diagnostics: Diagnostics) -> list[Spec]:
    """The specs that the resources become, in their order. What cannot be carried over becomes a diagnostic."""
    flat = [item for document in documents for item in _items(document)]
    resources = [item for item in (_resource(document, diagnostics) for document in flat) if item]
    servers = {(item.namespace, item.name): server for item in resources if (server := _server(item)) is not None}
    specs: list[Spec] = []
    models = team.models_of_members(resources)
    for resource in resources:
        specs += _convert(resource, servers, models)
    for server in servers.values():
        if not server.uses and not server.resource.has_failed:
            help = "write a Tool of type mcp with the tools that an agent may use"
            server.resource.warn("no agent here uses the server, so no Tool is written", ("metadata", "name"), help)
        specs += server.specs()
    specs += share_models(specs)
    _stand_alone(specs)
    for spec in specs:
        spec.carry_metadata()
    for resource in resources:
        resource.fields("metadata").take("name"), resource.fields("metadata").take("namespace")
        resource.report_rest()
    return [spec for spec in specs if not spec.resource.has_failed]


def _stand_alone(specs: Sequence[Spec]) -> None:
    """An agent that another asks is a workload, also when a team lists it: kagent's agents all were."""
    asked = {(spec.namespace, spec.data["agent"]["name"]) for spec in specs if "agent" in spec.data}
    listed = {(spec.namespace, item["name"]) for spec in specs for item in spec.data.get("agents", ())}
    for spec in specs:
        if spec.kind == "Agent" and (spec.namespace, spec.name) in asked & listed:
            spec.put("standalone", True)


def _items(document: Document) -> Iterator[Document]:
    """What a List holds, as kubectl prints it; else the document itself."""
    data = document.data if isinstance(document.data, dict) else {}
    if not str(data.get("kind")).endswith("List") or not isinstance(data.get("items"), list):
        yield document
        return
    nodes = document.root.children["items"].children
    for index, item in enumerate(data["items"]):
        yield Document(document.file, document.index, item, nodes[index])


def _resource(document: Document, diagnostics: Diagnostics) -> Resource | None:
    data = document.data if isinstance(document.data, dict) else {}
    kind, version = data.get("kind"), str(data.get("apiVersion"))
    if kind in _UNSUPPORTED and version.startswith(_GROUP):
        return Resource(document, diagnostics, _UNSUPPORTED[kind])
    is_kagents = version.startswith(_GROUP)
    reason = _REASONS.get(str(kind), "it is not a resource of kagent's that is known here")
    message = f"{kind or 'the document'} is not imported: {reason}"
    code = "KR701" if is_kagents and kind not in _HARMLESS else "KR702"
    diagnostics.add(code, message, document.span_of(("kind",)))
    return None


def _server(resource: Resource) -> ToolServer | None:
    return tool_servers.read(resource) if resource.kind in tool_servers.KINDS else None


def _convert(resource: Resource, servers: Servers, models: Models) -> Iterator[Spec]:
    converters: dict[str, Callable[[], Iterator[Spec]]] = {
        "Agent": lambda: agent.convert(resource, servers, models.get((resource.namespace, resource.name))),
        "ModelConfig": lambda: model_config.convert(resource),
        "Team": lambda: team.convert(resource),
    }
    return converters.get(resource.kind, lambda: iter(()))()
