"""The runtime's config in words: of each agent its model, tools, handoffs and prompt, of each team its rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kagent_render.catalog import kubernetes_resources
from kagent_render.catalog.tools.kubernetes_changing import CHANGE_DEFAULT
from kagent_render.catalog.tools.kubernetes_commands import in_words
from kagent_render.views import queue

Config = Mapping[str, Any]


def _full_names(names: Iterable[str]) -> list[str]:
    return sorted(item.full_name for name in names if (item := kubernetes_resources.find(name)))


_COMMON, _APPLICATION = _full_names(kubernetes_resources.READ_DEFAULT), _full_names(CHANGE_DEFAULT)
_OPERATIONS = {
    "logs": "read the logs of",
    "top": "read what is used by",
    "rollout-status": "read the rollout of",
    "rollout-history": "read the revisions of",
    "rollout-restart": "restart the pods of",
    "rollout-undo": "roll back",
}
_UNITS = {"totalTokens": "tokens", "toolCalls": "tool calls", "seconds": "seconds"}
_UNITS |= {"turns": "answers of models", "cost": "units of currency"}
Fact = tuple[str, str, str]
"""Topic, label and value: `("model", "diagnostics-agent", "gpt-4o (OpenAI at https://…)")`."""


def facts(runtime: Config) -> Iterator[Fact]:
    """What the agents and teams of a RuntimeConfig are, one fact at a time."""
    component = runtime["component"]
    names = {item["id"]: item["name"] for item in runtime.get("agents") or ()}
    approved = {
        f"{item['name']} {tool}" for item in runtime.get("agents") or () for tool in item.get("requiresApproval") or ()
    }
    for name, unit in _UNITS.items():
        if limit := (runtime.get("limits") or {}).get(name):
            yield "limits", f"{runtime['metadata']['name']} {unit} a run", _number(limit)
    if tasks := runtime.get("queue"):
        yield "queue", runtime["metadata"]["name"], queue.in_words(tasks)
    for topic, label, value in _component(
        component, {component["config"]["name"]: runtime["metadata"]["name"]} | names
    ):
        is_approved = topic == "tools" and label in approved
        yield topic, label, f"{value}; a person approves every call" if is_approved else value


def limits_in_words(limits: Mapping[str, Any]) -> list[str]:
    """`["5,000 tokens a run", "20 tool calls a run", "60 seconds a run"]`."""
    return [f"{_number(limits[name])} {unit} a run" for name, unit in _UNITS.items() if name in limits]


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0")


def approvals_in_words(names: list[str]) -> list[str]:
    """One line on the tools that wait for a person; none when none does."""
    return [f"a person approves every call of {', '.join(names)}"] if names else []


def context_in_words(component: Config) -> str:
    """How much of the conversation the model sees."""
    config = component["config"]
    if "messages" in config:
        return f"the task and the last {config['messages']} messages"
    return f"the first {config['head']} and the last {config['tail']} messages"


def schema_in_words(schema: Config) -> str:
    """`JSON of {severity, cause, actions}`."""
    return f"JSON of {_form_in_words(schema)}"


def _form_in_words(schema: Config) -> str:
    """`{severity, cause}`, `a list of {…}`, or `a number`."""
    if schema["type"] == "array":
        return f"a list of {_form_in_words(schema['items'])}"
    return f"{{{', '.join(schema['properties'])}}}" if schema["type"] == "object" else str(schema["type"])


def _component(component: Config, names: Mapping[str, str]) -> Iterator[Fact]:
    config = component["config"]
    name = names.get(config["name"], config["name"])
    if component["component_type"] == "team":
        yield from _team(component, name, names)
    else:
        yield from _agent(config, name, names)


def _team(component: Config, name: str, names: Mapping[str, str]) -> Iterator[Fact]:
    config = component["config"]
    members = [names.get(item["config"]["name"], item["config"]["name"]) for item in config["participants"]]
    yield "team", f"{name} members", f"{_short(component)} of {', '.join(members)}"
    yield "team", f"{name} stops", stops(config, names)
    chooser = "orchestrator" if "max_stalls" in config else "selector"
    if model := config.get("model_client"):
        yield "model", f"{name} {chooser}", model_in_words(model["config"])
    if prompt := config.get("selector_prompt") or config.get("final_answer_prompt"):
        yield "prompt", f"{name} {chooser}", prompt
    if graph := config.get("graph"):
        yield "team", f"{name} graph", graph_in_words(graph, names)
    for member in config["participants"]:
        yield from _component(member, names)


def graph_in_words(graph: Config, names: Mapping[str, str]) -> str:
    """`starts at writer; writer → editor; editor → writer when "REVISE" (any)`."""
    parts = [f"starts at {names.get(graph['default_start_node'], graph['default_start_node'])}"]
    for node in graph["nodes"].values():
        for edge in node.get("edges") or ():
            text = f"{names.get(node['name'], node['name'])} → {names.get(edge['target'], edge['target'])}"
            text += f" when {json.dumps(edge['condition'], ensure_ascii=False)}" if edge.get("condition") else ""
            parts.append(text + (" (any)" if edge["activation_condition"] == "any" else ""))
    return "; ".join(parts)


def _agent(config: Config, name: str, names: Mapping[str, str]) -> Iterator[Fact]:
    yield "description", name, config.get("description") or ""
    yield from _knowledge(config, name)
    for workbench in config.get("workbench") or ():
        for tool in workbench["config"].get("tools") or ():
            yield "tools", f"{name} {tool['name']}", tool_in_words(tool)
    for handoff in config.get("handoffs") or ():
        target = names.get(handoff["target"], handoff["target"])
        yield "handoffs", f"{name} {target}", target
    yield "limits", f"{name} rounds of tool calls in a turn", str(config.get("max_tool_iterations", ""))
    yield "prompt", name, config.get("system_message") or ""


def lookup_in_words(count: int, results: int, model: str) -> str:
    """How an agent looks texts up."""
    texts = "text" if count == 1 else "texts"
    return f"up to {results} of {count} {texts}, those nearest to the last message, by {model}"


def _knowledge(config: Config, name: str) -> Iterator[Fact]:
    client = config["model_client"]["config"]
    if schema := client.get("output_schema"):
        yield "answer", name, schema_in_words(schema)
        client = client["model_client"]["config"]
    yield "model", name, model_in_words(client)
    for memory in config.get("memory") or ():
        about, verb = memory["config"], "knows"
        if "results" in about:
            client, verb = about["model_client"]["config"], "can look up"
            looks_up = lookup_in_words(len(about["contents"]), about["results"], client["name"])
            yield "memory", f"{name} looks up", looks_up
            yield "model", f"{name} looks up with", model_in_words(client)
        for text in about["contents"]:
            yield "memory", f"{name} {verb} {json.dumps(text, ensure_ascii=False)}", text
    if context := config.get("model_context"):
        yield "context", name, context_in_words(context)


def _short(component: Config) -> str:
    return str(component["provider"].rpartition(".")[2])


def model_in_words(config: Config) -> str:
    """`gpt-4o (OpenAI at https://api.openai.com/v1, temperature 0.1)`."""
    parameters = config.get("parameters") or {}
    settings = [f"{key} {json.dumps(parameters[key], ensure_ascii=False)}" for key in sorted(parameters)]
    where = f"{config['provider']} at {config['base_url']}"
    if price := config.get("pricing"):
        amounts = f"{price['input_per_million_tokens']:g} in, {price['output_per_million_tokens']:g} out"
        settings.append(f"{amounts} {price['currency']} a million tokens")
    return f"{config['model']} ({', '.join([where, *settings])})"


def tool_in_words(tool: Config) -> str:
    """What a granted tool may do: for Kubernetes tools the operation, resources and namespaces."""
    if "transport" in tool:
        where = tool.get("url") or " ".join([tool["command"], *tool["args"]])
        return f"{', '.join(_with_fixed(name, tool) for name in tool['allowed'])} of the MCP server {where}"
    if "url" in tool:
        return _remote_in_words(tool)
    if "function" in tool:
        where = f" of the file {tool['module']}.py" if tool.get("is_file") else ""
        return f"call {tool['function']}{where}" if where else f"call {tool['module']}.{tool['function']}"
    if "operation" in tool and "resources" not in tool:
        where = _namespaces(tool.get("namespaces") or ())
        return f"{tool['operation']} of Helm releases in {where}, by reading every Secret there"
    if "operation" not in tool:
        rest = {key: tool[key] for key in sorted(tool) if key not in ("name", "description", "parameters")}
        return json.dumps(rest, ensure_ascii=False)
    if tool["operation"] == "events":
        return f"list the events of {_namespaces(tool.get('namespaces') or ())}"
    kinds = _brief(tool.get("resources") or ())
    cluster = [str(item).partition(".")[0] for item in tool.get("cluster_resources") or ()]
    if "commands" in tool:
        return f"run {_commands(tool['commands'])} in {kinds} in {_namespaces(tool.get('namespaces') or ())}"
    parts = [f"{kinds} in {_namespaces(tool.get('namespaces') or ())}"] if kinds else []
    parts += [f"{', '.join(cluster)} of the cluster"] if cluster else []
    return f"{_OPERATIONS.get(tool['operation'], tool['operation'])} " + "; ".join(parts)


def _with_fixed(name: str, server: Config) -> str:
    """`find_order (always with tenant = "acme")`."""
    fixed = (server.get("fixed") or {}).get(name, {})
    texts = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fixed.items()]
    return f"{name} (always with {', '.join(texts)})" if texts else name


def _commands(patterns: Iterable[Sequence[str]]) -> str:
    return ", ".join(f"`{in_words(pattern)}`" for pattern in patterns)


def _remote_in_words(tool: Config) -> str:
    """`GET https://shop.example.com/articles/{sku}`, or `read_file at https://api.github.com in octo/shop`.

    With what it may write, where that is narrowed.
    """
    query = "&".join(f"{item['name']}={item['value']}" for item in tool.get("query") or ())
    where = f"{tool['url']}{'?' if query else ''}{query}"
    if not tool.keys() & {"method", "operation"}:
        return f"asks another agent{' at ' if where else ''}{where}"
    what = tool.get("method") or f"{tool['operation']} at"
    scope = f" in {', '.join(tool['repositories'])}" if "repositories" in tool else ""
    return "; ".join([f"{what} {where}{scope}", *_written_in_words(tool), *_answer_in_words(tool)])


def _written_in_words(tool: Config) -> Iterator[str]:
    """What a github tool may write to; without globs, what the runtime keeps it from."""
    if "branches" in tool:
        yield f"branches {', '.join(tool['branches']) or 'any but the default one'}"
    if "paths" in tool:
        yield f"files {', '.join(tool['paths']) or 'any but workflows'}"
    if tool.get("may_approve"):
        yield "may approve"


def _answer_in_words(tool: Config) -> Iterator[str]:
    if "answer_schema" in tool:
        yield f"the answer has to be {schema_in_words(tool['answer_schema'])}"


def _brief(resources: Iterable[str]) -> str:
    """The resources, or how many where they are the default ones, which the permissions spell out."""
    names = list(resources)
    if sorted(names) == _COMMON:
        return f"the {len(names)} common resources"
    if not set(names) >= set(_APPLICATION):
        return kinds_in_words(names)
    others = kinds_in_words(name for name in names if name not in _APPLICATION)
    return f"the {len(_APPLICATION)} resources of an application" + (f", {others}" if others else "")


def kinds_in_words(resources: Iterable[str]) -> str:
    """The resources of a tool without their versions and groups."""
    return ", ".join(str(item).partition(".")[0] for item in resources)


def _any(sources: Iterable[str], names: Mapping[str, str]) -> str:
    return " or ".join(names.get(item, item) for item in sources) or "anyone"


_BOUNDS = {
    "max_total_token": "tokens",
    "max_prompt_token": "prompt tokens",
    "max_completion_token": "completion tokens",
}
_CONDITIONS: dict[str, Callable[[Config, Mapping[str, str]], str]] = {
    "External": lambda config, names: "when somebody asks for it over HTTP",
    "FunctionCallTermination": lambda config, names: f"when {config['function_name']} was called",
    "Handoff": lambda config, names: f"when someone hands over to {names.get(config['target'], config['target'])}",
    "MaxMessage": lambda config, names: f"after {config['max_messages']} messages",
    "SourceMatchTermination": lambda config, names: f"when {_any(config['sources'], names)} has answered",
    "StopMessage": lambda config, names: "when a nested team has ended",
    "TextMention": lambda config, names: (
        f"when {_any(config['sources'], names)} says {json.dumps(config['text'], ensure_ascii=False)}"
    ),
    "TextMessage": lambda config, names: f"when {_any(config['sources'], names)} answers with text",
    "Timeout": lambda config, names: f"after {config['seconds']} seconds",
    "TokenUsage": lambda config, names: (
        "after " + " or ".join(f"{config[key]} {word}" for key, word in _BOUNDS.items() if key in config)
    ),
}


def _namespaces(names: Any) -> str:
    if list(names) == ["*"]:
        return "all namespaces"
    if not names:
        return "its own namespace"
    return f"{'namespaces' if len(names) > 1 else 'namespace'} {', '.join(names)}"


def stops(config: Config, names: Mapping[str, str]) -> str:
    """When a team stops: its condition, and its turns at most."""
    turns = f"after {config['max_turns']} turns" if config.get("max_turns") else ""
    condition = config.get("termination_condition")
    by_itself = "at the end of the graph" if "graph" in config else ""
    by_itself = "when the orchestrator is satisfied" if "max_stalls" in config else by_itself
    return " or ".join(filter(None, (by_itself, _condition(condition, names) if condition else "", turns)))


def _condition(condition: Config, names: Mapping[str, str]) -> str:
    config, name = condition["config"], _short(condition)
    if name in ("OrTerminationCondition", "AndTerminationCondition"):
        word = " or " if name.startswith("Or") else " and "
        return "(" + word.join(_condition(item, names) for item in config["conditions"]) + ")"
    if name in _CONDITIONS:
        return _CONDITIONS[name](config, names)
    return f"{name} {json.dumps(config, sort_keys=True, ensure_ascii=False)}"
