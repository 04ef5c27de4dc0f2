"""Tool servers of kagent (RemoteMCPServer, MCPServer, ToolServer) to Tools: one for each list of tools that is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kagent_render.kagent.fields import Fields, Resource
from kagent_render.kagent.spec import Spec

KINDS = ("RemoteMCPServer", "MCPServer", "ToolServer")
_SHARED = "namespaces do not share tools here: each has Tools of its own"
_DEPLOYED = "the server is not deployed by this; keep the manifest that runs it, and give its address"
_STDIO = "a stdio server runs in the pod of the agent, not in one of its own"
UNSUPPORTED = {
    "spec.allowedNamespaces": _SHARED,
    "spec.sseReadTimeout": "one timeout holds for a whole call",
    "spec.terminateOnClose": "sessions are always ended",
    "spec.description": "",
    "spec.protocol": "",
    "spec.url": "",
    "spec.timeout": "",
    "spec.headersFrom": "",
    "spec.tls.disableVerify": "certificates are always verified",
    "spec.tls.caCertSecretRef": "",
    "spec.tls.caCertSecretKey": "",
    "spec.tls.disableSystemCAs": "",
    "spec.transportType": "",
    "spec.stdioTransport": _STDIO,
    "spec.httpTransport.tls": "give the CA in the Tool's mcp.tls",
    "spec.deployment": _STDIO,
    "spec.config.stdio.envFrom": "name each variable in mcp.env",
    "spec.config.sse.sseReadTimeout": "one timeout holds for a whole call",
    "spec.config.streamableHttp.sseReadTimeout": "one timeout holds for a whole call",
    "spec.config.streamableHttp.terminateOnClose": "sessions are always ended",
}


@dataclass(slots=True)
class ToolServer:
    """A server: the block that reaches it, and who uses which of its tools."""

    resource: Resource
    description: str
    block: dict[str, Any]
    secret_namespace: str | None
    uses: dict[tuple[str | None, tuple[str, ...]], str] = field(default_factory=dict)

    def tool_name(self, namespace: str | None, agent: str, tools: tuple[str, ...]) -> str:
        """The Tool that offers these tools in this namespace; the first is called as the server."""
        key = (namespace, tuple(sorted(tools)))
        if key not in self.uses:
            taken = [name for (place, _), name in self.uses.items() if place == namespace]
            self.uses[key] = self.resource.name if self.resource.name not in taken else f"{self.resource.name}-{agent}"
        return self.uses[key]

    def specs(self) -> Iterator[Spec]:
        """A Tool for each list that an agent uses."""
        for (namespace, tools), name in self.uses.items():
            out = Spec(self.resource, "Tool", name, namespace)
            out.put("type", "mcp")
            out.put("description", self.description, ("spec", "description"))
            out.put("mcp", self.block | {"tools": list(tools)})
            yield out


def read(resource: Resource) -> ToolServer | None:
    """The server of a resource; None, with a reason, when nothing can reach it."""
    spec = resource.fields("spec")
    description = spec.text("description") or f"Tools of {resource.name}"
    if resource.kind == "RemoteMCPServer":
        block = _remote(spec, spec.text("protocol") or "STREAMABLE_HTTP")
    elif resource.kind == "ToolServer":
        block = _configured(spec.below("config"), resource)
    else:
        block = _deployed(spec, resource)
    return ToolServer(resource, description, block, resource.namespace) if block else None


def _remote(spec: Fields, protocol: str) -> dict[str, Any]:
    transport = {"SSE": "sse", "STREAMABLE_HTTP": "streamable-http"}.get(protocol)
    if transport is None:
        spec.resource.fail(f"protocol `{protocol}` has no counterpart", spec.at("protocol"), "SSE or STREAMABLE_HTTP")
    if spec.data.get("terminateOnClose") is True:
        spec.take("terminateOnClose")
    url = spec.text("url")
    if url is None:
        spec.resource.fail("the server has no `url`", spec.location)
        return {}
    block = {"transport": transport, "url": url, "headers": headers_of(spec), "tls": _tls(spec.below("tls"))}
    return _filled(block | {"timeoutSeconds": spec.seconds("timeout")})


def _configured(config: Fields, resource: Resource) -> dict[str, Any]:
    """The `config` of an AutoGen-era ToolServer."""
    for name, transport in (("sse", "sse"), ("streamableHttp", "streamable-http")):
        if config.has(name):
            remote = config.below(name)
            block = {"transport": transport, "url": remote.text("url"), "headers": headers_of(remote)}
            return _filled(block | {"timeoutSeconds": remote.seconds("timeout")})
    if config.has("stdio"):
        stdio = config.below("stdio")
        block = {"transport": "stdio", "command": stdio.text("command"), "args": stdio.take("args")}
        return _filled(
            block | {"env": _map(stdio.take("env", {})), "timeoutSeconds": stdio.number("readTimeoutSeconds")}
        )
    resource.fail("the server has none of `stdio`, `sse` and `streamableHttp`", config.location)
    return {}


def _deployed(spec: Fields, resource: Resource) -> dict[str, Any]:
    """An MCPServer of kmcp: a stdio command runs beside the agent, an HTTP server stays where it is."""
    deployment, transport = spec.below("deployment"), spec.text("transportType") or "stdio"
    timeout = spec.seconds("timeout")
    if transport == "http":
        http = spec.below("httpTransport")
        port, path = http.take("targetPort") or deployment.take("port", 3000), http.text("path") or "/mcp"
        host = f"{resource.name}.{resource.namespace}.svc" if resource.namespace else resource.name
        deployment.take("port")
        resource.warn(f"`spec.deployment` is not carried over: {_DEPLOYED}", spec.at("deployment"))
        spec.take("deployment")
        return _filled(
            {"transport": "streamable-http", "url": f"http://{host}:{port}{path}", "timeoutSeconds": timeout}
        )
    command = deployment.text("cmd")
    deployment.take("port")
    if command is None:
        resource.fail("the server has no `cmd`: what its image starts is not known here", deployment.location)
        return {}
    if isinstance(deployment.data.get("env"), list):
        resource.fail(
            "`spec.deployment.env` must be a mapping", deployment.at("env"), "kagent's CRD refuses a list, too"
        )
        deployment.take("env")
    env = _map(deployment.take("env", {})) if isinstance(deployment.data.get("env"), dict) else []
    block = {"transport": "stdio", "command": command, "args": deployment.take("args"), "env": env}
    resource.warn(
        f"`{command}` has to be in the runtime image", deployment.at("cmd"), "or run the server on its own, with HTTP"
    )
    return _filled(block | {"timeoutSeconds": timeout})


def _map(values: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in values.items()]


def headers_of(fields: Fields) -> list[dict[str, Any]]:
    """`headers` and `headersFrom`: values stay values, and Secrets stay references."""
    found: list[dict[str, Any]] = _map(fields.take("headers", {}))
    for item in fields.each("headersFrom"):
        name, value = item.text("name"), item.text("value")
        source = item.below("valueFrom")
        kind = source.take("type", "Secret")
        if value is not None:
            found.append({"name": name, "value": value})
        elif kind == "Secret":
            reference = {"name": source.take("name") or source.take("valueRef"), "key": source.take("key")}
            found.append({"name": name, "secretRef": reference})
        else:
            item.resource.fail(f"a header from a {kind} has no counterpart", source.at("type"), "a value or a Secret")
    return found


def _tls(tls: Fields) -> dict[str, Any]:
    if tls.data.get("disableVerify") is False:
        tls.take("disableVerify")
    name, key = tls.text("caCertSecretRef"), tls.text("caCertSecretKey")
    reference = {"caSecretRef": {"name": name, "key": key or "ca.crt"}} if name else {}
    return reference | ({"useSystemCAs": False} if tls.take("disableSystemCAs") else {})


def _filled(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if value not in (None, [], {})}
