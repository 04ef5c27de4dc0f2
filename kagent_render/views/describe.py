"""One agent, team, tool or model, described: what it is, what it may do, and what is rendered for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kagent_render.compiler import Compilation
from kagent_render.lower import Pods
from kagent_render.lower.agent import assistant, lower_tools
from kagent_render.lower.agent_parts import needs_approval
from kagent_render.lower.team import team_description
from kagent_render.reports.text import printable
from kagent_render.resolve import AgentNode, ModelNode, TeamNode, ToolNode
from kagent_render.views import access, agents, network
from kagent_render.views.facts import Facts, facts_of
from kagent_render.views.inventory import (
    Node,
    handoffs_of,
    locked_in_words,
    model_in_words,
    name_of,
    namespace_of,
    roots_of,
    tool_description,
    tool_in_words,
    tool_permissions,
    tool_resources,
    tools_of,
    users_of,
)

Section = tuple[str, list[str]]
KINDS = {"agent": "agents", "team": "teams", "agentteam": "teams", "tool": "tools", "model": "models"} | {
    "modelconfig": "models"
}


def nodes(kind: str, compilation: Compilation) -> list[Node]:
    """Every node of a kind (`agents`, `teams`, `tools`, `models`)."""
    graph = compilation.graph
    found: dict[str, Iterable[Node]] = {
        "agents": graph.agents,
        "teams": graph.teams,
        "tools": tools_of(graph),
        "models": graph.models,
    }
    return list(found[kind])


def describe(node: Node, compilation: Compilation, more: Sequence[Section] = ()) -> str:
    """The description, as `kubectl describe` lays it out; `more` comes last."""
    sections = [(label, lines) for label, lines in (*_sections(node, compilation), *more) if lines]
    width = max(len(label) for label, _ in sections) + 2
    text = []
    for label, lines in sections:
        for number, line in enumerate(lines):
            head = f"{label}:" if number == 0 else ""
            text.append(f"{head:<{width}}{printable(line)}".rstrip())
    return "\n".join(text) + "\n"


def _sections(node: Node, compilation: Compilation) -> Iterator[Section]:
    yield "Name", [name_of(node)]
    yield "Namespace", [_namespace(node, compilation)]
    if node.document:
        span = node.document.span_of(("metadata", "name"))
        yield "Defined in", [f"{span.path}:{span.line}"]
    if isinstance(node, AgentNode):
        yield from _agent(node, compilation)
    elif isinstance(node, TeamNode):
        yield from _team(node, compilation)
    elif isinstance(node, ToolNode):
        yield "Type", [f"{node.type}{'' if node.document else ' (built in)'}"]
        yield "Description", [tool_description(node)]
        yield "May", [tool_in_words(node)]
        yield "Code", [file.path for file in node.declaration.code.files] if node.declaration.code else []
        yield "Locked", [line for text in locked_in_words(node) for line in _indented(text)]
        yield "Resources", [tool_resources(node)]
        yield "Token needs", tool_permissions(node)
        yield "Used by", users_of(node, compilation.graph)
        yield from _deployed(node, compilation)
    else:
        yield from _model(node, compilation)


def _namespace(node: Node, compilation: Compilation) -> str:
    workload = workload_of(node, compilation)
    return namespace_of(node, workload.namespace if workload else None) or "-"


def _agent(node: AgentNode, compilation: Compilation) -> Iterator[Section]:
    yield "Description", node.spec.description.splitlines()
    yield "Model", [f"{name_of(node.model)}: {model_in_words(node.model)}"]
    yield "Tools", [line for tool in node.tools for line in _tool(tool)]
    yield "Hands over to", [name_of(target) for target in handoffs_of(node, compilation.graph)]
    iterations = f"{node.spec.limits.tool_iterations} rounds of tool calls in a turn"
    yield "Limits", [", ".join([iterations, *agents.limits_in_words(node.spec.limits.bounds())])]
    yield "Approval", agents.approvals_in_words([t.name for t in lower_tools(node) if needs_approval(node, t)])
    yield from _knowledge(node)
    yield "Prompt", (node.spec.system_message or "").splitlines()
    yield from _running(node, compilation)


def _tool(tool: ToolNode) -> Iterator[str]:
    """What it may do; of an MCP server that is locked, the first line of what the model is told of each tool."""
    yield f"{name_of(tool)}: {tool_in_words(tool)}"
    yield from (f"  {text.splitlines()[0]}" for text in locked_in_words(tool))


def _indented(text: str) -> Iterator[str]:
    first, *rest = text.splitlines()
    yield first
    yield from (f"  {line}" for line in rest)


def _knowledge(node: AgentNode) -> Iterator[Section]:
    component = assistant(node)["config"]
    yield "Memory", [text for item in node.spec.memory if item.type == "List" for text in item.contents]
    if (memory := node.spec.vector_memory) and node.memory_model:
        model = name_of(node.memory_model)
        yield "Looks up", [agents.lookup_in_words(len(memory[1].contents), memory[1].results, model)]
    yield "Sees", [agents.context_in_words(component["model_context"])] if "model_context" in component else []
    schema = node.spec.output_schema
    yield "Answers", [agents.schema_in_words(schema.json_schema())] if schema else []


def _team(node: TeamNode, compilation: Compilation) -> Iterator[Section]:
    yield "Description", team_description(node).splitlines()
    yield "Type", [node.spec.team_type]
    yield "Members", [_member(member) for member in node.members]
    workload = workload_of(node, compilation)
    for (topic, label), value in _facts(workload, compilation).values.items() if workload else ():
        if topic == "team" and label == f"{name_of(node)} stops":
            yield "Stops", [value]
        if topic == "team" and label == f"{name_of(node)} graph":
            yield "Graph", value.split("; ")
    yield "Limits", [limits] if (limits := ", ".join(agents.limits_in_words(node.spec.limits.bounds()))) else []
    models = {name_of(model): model for model in _models_of(node)}
    yield "Models", [f"{name}: {model_in_words(models[name])}" for name in sorted(models)]
    yield from _running(node, compilation)


def _member(member: AgentNode | TeamNode) -> str:
    kind = "" if isinstance(member, AgentNode) else " (AgentTeam)"
    tools = ", ".join(name_of(tool) for tool in member.tools) if isinstance(member, AgentNode) else ""
    return f"{name_of(member)}{kind}{f' with {tools}' if tools else ''}"


def _models_of(node: AgentNode | TeamNode) -> Iterator[ModelNode]:
    if isinstance(node, AgentNode):
        yield from filter(None, (node.model, node.memory_model))
        return
    yield from filter(None, (node.selector_model, node.orchestrator_model))
    for member in node.members:
        yield from _models_of(member)


def _model(node: ModelNode, compilation: Compilation) -> Iterator[Section]:
    secret = node.spec.api_key_secret_ref
    yield "Model", [model_in_words(node)]
    yield "API key", [f"Secret {secret.name} key {secret.key}" if secret else "none"]
    yield "Limits", [f"{node.spec.timeout_seconds:g} s a call, {node.spec.max_retries} retries"]
    yield "Used by", users_of(node, compilation.graph)


def _running(node: AgentNode | TeamNode, compilation: Compilation) -> Iterator[Section]:
    others = [root for root in roots_of(node, compilation.graph) if root is not node]
    yield "Runs in", [f"{'AgentTeam' if isinstance(root, TeamNode) else 'Agent'} {name_of(root)}" for root in others]
    yield from _deployed(node, compilation)


def _deployed(node: Node, compilation: Compilation) -> Iterator[Section]:
    """What is rendered for an agent, a team, or the server of a tool, and what that may do."""
    workload = workload_of(node, compilation)
    if workload is None:
        return
    facts = _facts(workload, compilation)
    yield "Kubernetes", [f"may {text}" for text in access.in_words(facts.permissions)] or ["no access to the API"]
    yield "Calls", network.in_words(facts.egress)
    yield "Called by", network.in_words(facts.ingress)
    yield "Callers", [f"show {facts.values['authentication', 'callers']}"]
    for label, topics in (("Reached at", ("routes",)), ("Reads", ("secrets",))):
        yield label, [value for (topic, _), value in sorted(facts.values.items()) if topic in topics]
    kept = ((label, value) for (topic, label), value in sorted(facts.values.items()) if topic == "storage")
    yield "Keeps", [f"conversations on {label}: {value}" for label, value in kept]
    yield "Takes tasks", [f"from {value}" for (topic, _), value in facts.values.items() if topic == "queue"]
    running = ("image", "scaling", "resources")
    yield "Runs", [f"{label}: {value}" for (topic, label), value in sorted(facts.values.items()) if topic in running]
    objects = [item for item in compilation.objects if item.path.startswith(f"{workload.directory}/")]
    yield "Objects", [_object(item.data["kind"], item.data["metadata"]) for item in objects]


def _object(kind: str, metadata: dict[str, str]) -> str:
    namespace = metadata.get("namespace")
    return f"{kind} {f'{namespace}/' if namespace else ''}{metadata['name']}"


def workload_of(node: Node, compilation: Compilation) -> Pods | None:
    """The workload of the document that defines a node, if it has one of its own."""
    if node.document is None:
        return None
    origin = node.document.span_of(("metadata", "name"))
    return next((item for item in (*compilation.workloads, *compilation.servers) if item.origin == origin), None)


def _facts(workload: Pods, compilation: Compilation) -> Facts:
    return facts_of(item.data for item in compilation.objects)[workload.namespace or "", workload.name]
