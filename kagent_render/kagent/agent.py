"""Agent of kagent (v1alpha1, and v1alpha2 of type Declarative) to ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kagent_render.kagent import pods
from kagent_render.kagent.builtin_tools import (
    COUNTERPARTS,
    CREATING,
    CREATING_BLOCK,
    CREATING_DESCRIPTION,
    TOOL_SERVER,
    UNSUPPORTED_TOOLS,
    note_of,
    present_name,
)
from kagent_render.kagent.fields import Fields, Location, Resource
from kagent_render.kagent.spec import Spec
from kagent_render.kagent.tool_servers import ToolServer

DEFAULT_MODEL = "default-model-config"
_CARD = "the agent card is made of name, description, members and tools"
_POD = "pods run under Pod Security restricted, as rendered"
UNSUPPORTED = {
    "spec.byo": "an image of your own is not run by this; deploy it as it is",
    "spec.skills": "skills are not loaded; put what they say into the prompt",
    "spec.sandbox": "the NetworkPolicy is derived from the tools; see `describe`",
    "spec.allowedNamespaces": "namespaces do not share agents here; a Tool of type agent names one",
    "spec.iconUrl": _CARD,
    "spec.documentationUrl": _CARD,
    "spec.version": _CARD,
    "spec.provider": _CARD,
    "spec.name": "an agent goes by metadata.name",
    "spec.a2aConfig": _CARD,
    "spec.memory": "there is no Pinecone memory",
    "spec.declarative.a2aConfig": _CARD,
    "spec.declarative.runtime": "every agent runs on AutoGen",
    "spec.declarative.stream": "agents always stream; callers choose whether to read the stream",
    "spec.declarative.promptTemplate": "prompts are not templates; put the included text into the prompt",
    "spec.declarative.systemMessageFrom": "put the prompt into a file beside the spec: systemMessageFrom: {file: …}",
    "spec.declarative.executeCodeBlocks": "agents run no code (kagent ignores the field, too)",
    "spec.declarative.memory": "there is no pgvector memory",
    "spec.declarative.context": "conversations are not summarised; `context` can bound them",
    "spec.declarative.shareTools": "each agent has tools of its own",
    "spec.declarative.tools.mcpServer.allowedHeaders": "headers of a caller are not passed on",
    "spec.declarative.tools.isolateSessions": "each question to another agent is a session of its own",
    "spec.declarative.tools.headersFrom": "headers belong to the Tool: mcp.headers",
    "spec.declarative.deployment.imageRegistry": "the Platform names the image and its registries",
    "spec.declarative.deployment.imagePullPolicy": "the Platform sets imagePullPolicy",
    "spec.declarative.deployment.deploymentAnnotations": "metadata.annotations go onto every object",
    "spec.declarative.deployment.envFrom": "name each variable in workload.env",
    "spec.declarative.deployment.env": "the source of this variable has no counterpart",
    "spec.declarative.deployment.volumes": "a volume of this kind has no counterpart, or nothing mounts it",
    "spec.declarative.deployment.volumeMounts": "this mount has no counterpart",
    "spec.declarative.deployment.securityContext": _POD,
    "spec.declarative.deployment.podSecurityContext": _POD,
    "spec.declarative.deployment.serviceAccountName": "each workload has an account of its own, with a Role of its own",
    "spec.declarative.deployment.serviceAccountConfig.labels": "metadata.labels go onto every object",
    "spec.declarative.deployment.extraContainers": "pods have one container",
    "spec.stream": "agents always stream; callers choose whether to read the stream",
    "spec.tools.config": "the tool here has other settings",
    # Read below.
    "spec.type": "",
    "spec.description": "",
    "spec.declarative.modelConfig": "",
    "spec.declarative.systemMessage": "",
    "spec.declarative.tools.type": "",
    "spec.systemMessage": "",
    "spec.modelConfig": "",
    "spec.tools": "there is no tool here that does the same",
    "metadata.labels": "",
    "metadata.annotations": "",
}


class _Tools:
    """The tools of one agent: references, and the Tool documents that they need."""

    def __init__(self, resource: Resource, servers: Mapping[tuple[str | None, str], ToolServer]) -> None:
        self._resource, self._servers = resource, servers
        self.references: list[dict[str, Any]] = []
        self.documents: list[Spec] = []

    def add(self, name: str, needs_approval: bool = False) -> None:
        """One reference; a tool that two entries stand for is listed once."""
        if any(reference["name"] == name for reference in self.references):
            return
        self.references.append({"name": name} | ({"requireApproval": True} if needs_approval else {}))

    def add_builtin(self, name: str, place: Location, needs_approval: bool = False) -> None:
        """A tool of kagent's own."""
        known = present_name(name)
        ours = COUNTERPARTS.get(known)
        if known == CREATING:
            self._add_creating(needs_approval)
        elif ours is None:
            reason, help = UNSUPPORTED_TOOLS.get(known, ("there is no tool here that does the same", None))
            self._resource.warn(f"`{name}` is not carried over: {reason}", place, help)
        else:
            for one in ours.split():
                self.add(one, needs_approval)
                if note := note_of(one):
                    self._resource.warn(note, place)

    def _add_creating(self, needs_approval: bool) -> None:
        out = Spec(self._resource, "Tool", f"{self._resource.name}-apply", self._resource.namespace)
        out.put("type", "kubernetes")
        out.put("description", CREATING_DESCRIPTION)
        out.put("kubernetes", CREATING_BLOCK)
        self.documents.append(out)
        self.add(out.name, needs_approval)

    def add_server(self, entry: Fields, kind: str) -> None:
        """The tools of a server, those that need approval apart from the rest."""
        name = str(entry.text("name") or entry.text("toolServer") or "")
        namespace = entry.text("namespace") or self._resource.namespace
        entry.take("kind"), entry.take("apiGroup")
        names, place = [str(item) for item in entry.take("toolNames", [])], entry.at("toolNames")
        approved = [str(item) for item in entry.take("requireApproval", [])]
        if name == TOOL_SERVER and (namespace, name) not in self._servers:
            for index, item in enumerate(names):
                self.add_builtin(item, (*place, index), item in approved)
            return
        server = self._servers.get((namespace, name))
        if server is None:
            help = "import the files together"
            self._resource.fail(f"the {kind} `{name}` is not among the resources", entry.at("name"), help)
        elif not names:
            self._resource.fail(
                f"the tools of `{name}` that may be used are not listed", entry.location, "add toolNames"
            )
        else:
            self._use(server, names, approved, entry)

    def _use(self, server: ToolServer, names: list[str], approved: list[str], entry: Fields) -> None:
        agent, namespace = self._resource.name, self._resource.namespace
        if server.secret_namespace != namespace and "secretRef" in str(server.block):
            message = f"the Secrets of `{server.resource.name}` are in namespace `{server.secret_namespace}`"
            help = f"create them in `{namespace}`, too: a pod reads Secrets of its own namespace only"
            self._resource.warn(message, entry.at("name"), help)
        for wanted, needs_approval in (([n for n in names if n not in approved], False), (approved, True)):
            if wanted:
                self.add(server.tool_name(namespace, agent, tuple(wanted)), needs_approval)

    def add_agent(self, entry: Fields) -> None:
        """Another agent, as a Tool of type agent."""
        name = str(entry.text("name") or entry.text("ref") or "").rpartition("/")[2]
        namespace, kind = entry.text("namespace"), entry.text("kind") or "Agent"
        if kind != "Agent":
            self._resource.fail(f"an agent of kind `{kind}` has no counterpart", entry.at("kind"))
            return
        out = Spec(self._resource, "Tool", f"{self._resource.name}-asks-{name}", self._resource.namespace)
        out.put("type", "agent")
        out.put("description", f"Ask the agent {name}.")
        out.put("agent", {"name": name} | ({"namespace": namespace} if namespace else {}))
        self.documents.append(out)
        self.add(out.name)


def convert(
    resource: Resource, servers: Mapping[tuple[str | None, str], ToolServer], team_model: str | None
) -> Iterator[Spec]:
    """One Agent, and a Tool for each other agent that it asks. Without a model it uses its team's."""
    spec = resource.fields("spec")
    is_v1alpha1 = resource.document.data["apiVersion"].endswith("/v1alpha1")
    kind, description = spec.text("type") or "Declarative", spec.text("description")
    if kind != "Declarative":
        spec.take("byo")
        resource.fail(f"an agent of type `{kind}` has no counterpart", spec.at("type"), UNSUPPORTED["spec.byo"])
        return
    body = spec if is_v1alpha1 else spec.below("declarative")
    out = Spec(resource, "Agent", resource.name, resource.namespace)
    prompt = body.text("systemMessage")
    if description is None:
        resource.warn("there is no description, so the name stands in for it", ("metadata", "name"))
    out.put("description", description or resource.name, spec.at("description"))
    if prompt is None:
        resource.fail("the agent has no `systemMessage`", body.location)
    elif "{{" in prompt and body.has("promptTemplate"):
        resource.warn("the prompt still has {{…}} in it, which nothing replaces", body.at("systemMessage"))
    out.put("systemMessage", prompt, body.at("systemMessage"))
    model = (body.text("modelConfig") or team_model or DEFAULT_MODEL).rpartition("/")[2]
    out.put("modelConfigRef", {"name": model}, body.at("modelConfig"))
    tools = _Tools(resource, servers)
    for entry in body.each("tools"):
        _tool(entry, tools)
    out.put("tools", tools.references, body.at("tools"))
    if body.data.get("stream") is True:
        body.take("stream")
    pods.convert(body.below("deployment"), out)
    yield out
    yield from tools.documents


def _tool(entry: Fields, tools: _Tools) -> None:
    """One entry of `tools`, in any of the forms that kagent has had."""
    entry.take("type")
    if entry.has("mcpServer"):
        tools.add_server(entry.below("mcpServer"), str(entry.below("mcpServer").data.get("kind") or "ToolServer"))
    elif entry.has("agent"):
        tools.add_agent(entry.below("agent"))
    elif entry.has("provider") or entry.has("builtin"):
        named = entry if entry.has("provider") else entry.below("builtin")
        field = "provider" if entry.has("provider") else "name"
        tools.add_builtin(str(named.take(field)), named.at(field))
