"""Specs to a graph: every reference found in the referrer's namespace first, then among documents without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from kagent_render.catalog.conditions.base import USER
from kagent_render.catalog.fields import DNS_SUBDOMAIN
from kagent_render.catalog.tools.agent import AgentBlock
from kagent_render.catalog.tools.base import ToolDeclaration
from kagent_render.catalog.tools.registry import BUILTIN_TOOLS, DOCUMENTED_TOOLS, TOOL_TYPES
from kagent_render.catalog.tools.tool_sets import TOOL_SETS
from kagent_render.diagnostics import Diagnostics, Label, did_you_mean
from kagent_render.resolve.cycles import report_cycles
from kagent_render.resolve.graph import AgentNode, Asked, Graph, ModelNode, Served, TeamNode, ToolNode
from kagent_render.source import ToolLock
from kagent_render.source.tool_lock import key_of
from kagent_render.specs.agent import Agent
from kagent_render.specs.agent_team import AgentTeam
from kagent_render.specs.decode import Decoded
from kagent_render.specs.model_config import ModelConfig
from kagent_render.specs.platform import Platform, PlatformSpec
from kagent_render.specs.tool import Tool

Location = tuple[int | str, ...]


def link(specs: Sequence[Decoded], diagnostics: Diagnostics, lock: ToolLock | None = None) -> Graph:
    """Resolve every reference; what does not resolve is a diagnostic, and what hangs on it is left out."""
    return _Linker(specs, lock or ToolLock(), diagnostics).graph()


class _Linker:
    def __init__(self, specs: Sequence[Decoded], lock: ToolLock, diagnostics: Diagnostics) -> None:
        self._diagnostics, self._lock = diagnostics, lock
        self._index = self._unique(specs)
        self._names: dict[str, list[Decoded]] = {}
        for item in self._index.values():
            self._names.setdefault(item.kind, []).append(item)
        self._tools: dict[int, ToolNode] = {}

    def _unique(self, specs: Sequence[Decoded]) -> dict[tuple[str, str | None, str], Decoded]:
        index: dict[tuple[str, str | None, str], Decoded] = {}
        for item in sorted(specs, key=_place):
            key = ("Platform", None, "") if item.kind == "Platform" else item.key
            first = index.setdefault(key, item)
            if first is not item:
                span = item.document.span_of(("metadata", "name"))
                label = Label(first.document.span_of(("metadata", "name")), "first here")
                only = (
                    "there can be one Platform only"
                    if item.kind == "Platform"
                    else f"{item.kind} `{item.name}` is defined twice"
                )
                self._diagnostics.add("KR202", only, span, labels=[label], help="rename or remove one of them")
        return index

    def graph(self) -> Graph:
        """Link every kind. Agents first: teams refer to them."""
        agents = {item.key: node for item in self._all("Agent") if (node := self._agent(item)) is not None}
        for item in self._all("AgentTeam"):
            if item.spec is None:
                self._poisoned(item)
        teams = {item.key: self._team(item) for item in self._all("AgentTeam") if item.spec is not None}
        for team in teams.values():
            self._members(team, agents, teams)
        report_cycles(list(teams.values()), self._diagnostics)
        self._link_asked(agents, teams)
        platform = self._index.get(("Platform", None, ""))
        spec = cast(Platform, platform.spec).spec if platform and platform.spec else PlatformSpec()
        parents: dict[int, list[TeamNode]] = {}
        for team in teams.values():
            for member in team.members:
                parents.setdefault(id(member), []).append(team)
        document = platform.document if platform else None
        tools = tuple(_tool_node(item, self._lock) for item in self._all("Tool") if item.spec is not None)
        models = tuple(_model_node(item) for item in self._all("ModelConfig") if item.spec is not None)
        return Graph(tuple(agents.values()), tuple(teams.values()), tools, models, spec, document, parents)

    def _link_asked(
        self,
        agents: dict[tuple[str, str | None, str], AgentNode],
        teams: dict[tuple[str, str | None, str], TeamNode],
    ) -> None:
        """Find whom the tools of type agent ask: here a reference may cross namespaces, if it says so."""
        known = {id(tool.document): tool for agent in agents.values() for tool in agent.tools if tool.asked}
        for item in self._all("Tool"):
            block = cast(Tool, item.spec).spec.agent if item.spec is not None else None
            if block is None or block.name is None:
                continue
            places = [block.namespace, None] if block.namespace else [item.namespace, None]
            found = next((f for place in places if (f := self._index.get((block.kind, place, block.name)))), None)
            if found is None:
                self._unknown_asked(block, item)
            elif id(item.document) in known and (asked := known[id(item.document)].asked):
                asked.node = agents.get(found.key) or teams.get(found.key)

    def _unknown_asked(self, block: AgentBlock, item: Decoded) -> None:
        other = "AgentTeam" if block.kind == "Agent" else "Agent"
        location: Location = ("spec", "agent", "name")
        name = str(block.name)
        if any(i.name == name for i in self._names.get(other, ())):
            span = item.document.span_of(location)
            help = f"add `kind: {other}` beside `name: {name}`"
            self._diagnostics.add("KR201", f"`{name}` is an {other}, not an {block.kind}", span, help=help)
            return
        place = block.namespace or next((i.namespace for i in self._names.get(block.kind, ()) if i.name == name), None)
        if place and not block.namespace:
            span = item.document.span_of(location)
            help = f"add `namespace: {place}` beside `name: {name}`"
            self._diagnostics.add("KR201", f"{block.kind} `{name}` is in another namespace", span, help=help)
        else:
            self._unknown(block.kind, name, item, location)

    def _all(self, kind: str) -> list[Decoded]:
        return sorted(self._names.get(kind, ()), key=lambda item: (item.namespace or "", item.name))

    def _find(self, kind: str, name: str, referrer: Decoded) -> Decoded | None:
        for namespace in (referrer.namespace, None):
            if found := self._index.get((kind, namespace, name)):
                return found
        return None

    def _visible(self, kind: str, referrer: Decoded) -> list[str]:
        return [i.name for i in self._names.get(kind, ()) if i.namespace in (None, referrer.namespace)]

    def _unknown(self, kind: str, name: str, referrer: Decoded, location: Location, extra: Iterable[str] = ()) -> None:
        elsewhere = sorted(i.namespace or "" for i in self._names.get(kind, ()) if i.name == name)
        help = DOCUMENTED_TOOLS.get(name) if kind == "Tool" else None
        help = help or did_you_mean(name, [*self._visible(kind, referrer), *extra])
        if elsewhere:
            help = f"there is one in namespace `{elsewhere[0]}`; references do not cross namespaces"
        where = f" in namespace `{referrer.namespace}` or without one" if referrer.namespace else ""
        span = referrer.document.span_of(location)
        self._diagnostics.add("KR201", f"{kind} `{name}` is not defined{where}", span, help=help)

    def _agent(self, item: Decoded) -> AgentNode | None:
        if item.spec is None:
            self._poisoned(item)
            return None
        spec = cast(Agent, item.spec).spec
        model = self._model(spec.model_config_ref.name, item, ("spec", "modelConfigRef", "name"))
        self._repeats([t.name for t in spec.tools], item, "tools")
        self._repeats([h.name for h in spec.handoffs], item, "handoffs")
        tools = [self._tool(t.name, item, ("spec", "tools", i, "name")) for i, t in enumerate(spec.tools)]
        granted = {grant.name for grant in spec.tools}
        tools += [self._tool(name, item, ()) for name in self._in_sets(spec.tool_sets, item) if name not in granted]
        for i, handoff in enumerate(spec.handoffs):
            if handoff.name != USER and self._find("Agent", handoff.name, item) is None:
                self._unknown("Agent", handoff.name, item, ("spec", "handoffs", i, "name"))
        memory, memory_model = spec.vector_memory, None
        if memory is not None:
            place: Location = ("spec", "memory", memory[0], "modelConfigRef", "name")
            memory_model = self._model(memory[1].model_config_ref.name, item, place)
        if model is None or None in tools or (memory is not None and memory_model is None):
            return None
        metadata = cast(Agent, item.spec).metadata
        return AgentNode(item.document, metadata, spec, model, tuple(tool for tool in tools if tool), memory_model)

    def _in_sets(self, sets: Sequence[str], item: Decoded) -> list[str]:
        """The tools of the sets, each once, in order."""
        found: dict[str, None] = {}
        for index, name in enumerate(sets):
            if name not in TOOL_SETS:
                span = item.document.span_of(("spec", "toolSets", index))
                help = did_you_mean(name, TOOL_SETS) or "one of " + ", ".join(TOOL_SETS)
                self._diagnostics.add("KR201", f"`{name}` is not a set of tools", span, help=help)
            found |= dict.fromkeys(TOOL_SETS.get(name, ()))
        return list(found)

    def _poisoned(self, item: Decoded) -> None:
        """Report the unknown references of a document with other defects, so that one run shows them all."""
        for kind, location, name in raw_references(item.document.data):
            known = BUILTIN_TOOLS if kind == "Tool" else {}
            if name not in known and self._find(kind, name, item) is None:
                self._unknown(kind, name, item, location, known)

    def _repeats(self, names: list[str], item: Decoded, field: str) -> None:
        for index, name in enumerate(names):
            if name in names[:index]:
                span = item.document.span_of(("spec", field, index, "name"))
                label = Label(item.document.span_of(("spec", field, names.index(name), "name")), "first here")
                self._diagnostics.add("KR204", f"`{name}` is listed twice", span, labels=[label], help="remove one")

    def _model(self, name: str, referrer: Decoded, location: Location) -> ModelNode | None:
        found = self._find("ModelConfig", name, referrer)
        if found is None:
            self._unknown("ModelConfig", name, referrer, location)
            return None
        return _model_node(found) if found.spec is not None else None

    def _tool(self, name: str, referrer: Decoded, location: Location) -> ToolNode | None:
        found = self._find("Tool", name, referrer)
        if found is None:
            if builtin := BUILTIN_TOOLS.get(name):
                return ToolNode(builtin.type, ToolDeclaration(name, None, None, None), None)
            self._unknown("Tool", name, referrer, location, BUILTIN_TOOLS)
            return None
        if found.spec is None:
            return None
        # One node for all who use the tool: what is found out of it later holds for each of them.
        return self._tools.setdefault(id(found), _tool_node(found, self._lock))

    def _team(self, item: Decoded) -> TeamNode:
        team = cast(AgentTeam, item.spec)
        node = TeamNode(item.document, team.metadata, team.spec)
        selector, magentic = team.spec.selector, team.spec.magentic_one
        if selector and selector.model_config_ref:
            location: Location = ("spec", "selector", "modelConfigRef", "name")
            node.selector_model = self._model(selector.model_config_ref.name, item, location)
            node.is_whole = node.selector_model is not None
        if magentic and magentic.model_config_ref:
            location = ("spec", "magenticOne", "modelConfigRef", "name")
            node.orchestrator_model = self._model(magentic.model_config_ref.name, item, location)
            node.is_whole = node.is_whole and node.orchestrator_model is not None
        return node

    def _members(
        self,
        team: TeamNode,
        agents: dict[tuple[str, str | None, str], AgentNode],
        teams: dict[tuple[str, str | None, str], TeamNode],
    ) -> None:
        referrer = self._index[("AgentTeam", team.metadata.namespace, team.metadata.name)]
        self._repeats([member.name for member in team.spec.agents], referrer, "agents")
        for index, member in enumerate(team.spec.agents):
            found = self._find(member.kind, member.name, referrer)
            if found is None:
                self._unknown_member(member.kind, member.name, referrer, ("spec", "agents", index, "name"))
            node = (agents.get(found.key) or teams.get(found.key)) if found else None
            if node is None:
                team.is_whole = False
            else:
                team.members.append(node)

    def _unknown_member(self, kind: str, name: str, referrer: Decoded, location: Location) -> None:
        if kind == "Agent" and self._find("AgentTeam", name, referrer):
            span = referrer.document.span_of(location)
            help = f"add `kind: AgentTeam` beside `name: {name}`"
            self._diagnostics.add("KR201", f"`{name}` is an AgentTeam, not an Agent", span, help=help)
        else:
            self._unknown(kind, name, referrer, location)


def _model_node(item: Decoded) -> ModelNode:
    model = cast(ModelConfig, item.spec)
    return ModelNode(item.document, model.metadata, model.spec)


def _tool_node(item: Decoded, lock: ToolLock) -> ToolNode:
    tool = cast(Tool, item.spec)
    spec = tool.spec
    blocks = tuple(name for name in TOOL_TYPES if getattr(spec, name) is not None)
    block, locked = getattr(spec, spec.type), lock.tools_of(key_of(item.namespace, item.name))
    code = item.document.code
    declaration = ToolDeclaration(item.name, spec.description, spec.parameters, block, blocks, code, locked)
    asked = Asked() if spec.type == "agent" else None
    served = Served(tool.metadata.namespace) if spec.mcp and spec.mcp.server else None
    return ToolNode(spec.type, declaration, item.document, asked, tool.metadata, served)


def raw_references(data: Any) -> Iterator[tuple[str, Location, str]]:
    """Kind, place and name of the references in the data of a document that did not validate."""
    spec = data.get("spec")
    if not isinstance(spec, dict):
        return
    for block, place in ((spec, ()), *((spec.get(name), (name,)) for name in ("selector", "magenticOne"))):
        reference = block.get("modelConfigRef") if isinstance(block, dict) else None
        if isinstance(reference, dict) and _is_name(reference.get("name")):
            yield "ModelConfig", ("spec", *place, "modelConfigRef", "name"), reference["name"]
    for field, kind in (("tools", "Tool"), ("handoffs", "Agent"), ("agents", "Agent")):
        items = spec.get(field)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            name = item.get("name") if isinstance(item, dict) else None
            if _is_name(name) and item.get("kind", kind) == kind and (field, name) != ("handoffs", USER):
                yield kind, ("spec", field, index, "name"), item["name"]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and DNS_SUBDOMAIN.match(value) is not None


def _place(item: Decoded) -> tuple[str, int]:
    return (item.document.file.path, item.document.root.line)
