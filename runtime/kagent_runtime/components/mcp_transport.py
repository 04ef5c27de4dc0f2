"""How an MCP server is reached: the official SDK's transports, over our own rules of where to connect and with what."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import anyio
import httpx2
import mcp
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import EgressError
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.judged_transport import JudgedTransport
from kagent_runtime.model import McpHttpServer, McpServer, McpStdioServer

NOT_SENT = -32098  # our own code, of the range that JSON-RPC leaves to servers: the request did not reach one
REFUSED = -32097  # and one that came back with an HTTP status that says why
CONNECT_SECONDS = 5.0
_SPARE_SECONDS = 5.0  # calls are ended by us; this is for what the SDK asks on its own
_STREAM_SECONDS = 3600.0  # of silence; calls have their own, shorter, limits


class _PerRequest(JudgedTransport):
    """Failures as answers to their own request: the SDK ends the whole connection, with every call in it, for one."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await super().handle_async_request(request)
        except (httpx2.ConnectError, EgressError) as error:
            return _answer(request, HTTPStatus.BAD_GATEWAY, NOT_SENT, str(error))
        # 400, 404 and 405 say something of the protocol, which the SDK knows how to read.
        if response.status_code not in (401, 403, 407, 429) and response.status_code < 500:
            return response
        body = await response.aread()
        await response.aclose()
        if b'"jsonrpc"' in body:
            return httpx2.Response(response.status_code, headers=_kind(response), content=body, request=request)
        message = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
        return _answer(request, response.status_code, REFUSED, message)


def _kind(response: httpx2.Response) -> dict[str, str]:
    return {"content-type": response.headers.get("content-type", "application/json")}


def _answer(request: httpx2.Request, status: int, code: int, message: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    headers = {"content-type": "application/json"}
    return httpx2.Response(status, headers=headers, content=json.dumps(body).encode(), request=request)


@asynccontextmanager
async def connected(server: McpServer, credentials: Credentials, closed: anyio.Event) -> AsyncIterator[mcp.Client]:
    """A client of the server. Sets `closed` when the server ends the connection. Raises whatever the SDK does."""
    async with _transport(server, credentials, closed) as transport:
        # No cache of its own: ours knows when to ask again.
        seconds = server.timeout_seconds + _SPARE_SECONDS
        client = mcp.Client(transport, read_timeout_seconds=seconds, cache=None)
        async with client:
            yield client


@asynccontextmanager
async def _transport(server: McpServer, credentials: Credentials, closed: anyio.Event) -> AsyncIterator[Any]:
    if isinstance(server, McpStdioServer):
        yield _watched(stdio_client(_process(server, credentials)), closed)
    elif server.transport == "sse":
        headers = credentials.headers(server.headers)

        def factory(headers: dict[str, str] | None = None, timeout: Any = None, auth: Any = None) -> httpx2.AsyncClient:
            return _client(server, headers or {}, JudgedTransport)

        yield _watched(sse_client(server.url, headers, httpx_client_factory=factory), closed)
    else:
        async with _client(server, credentials.headers(server.headers), _PerRequest) as client:
            yield streamable_http_client(server.url, http_client=client)


def _client(server: McpHttpServer, headers: dict[str, str], kind: type[JudgedTransport]) -> httpx2.AsyncClient:
    private, loopback = server.allow_private_addresses, server.loopback_port
    transport = kind(server.url, server.tls, allow_private=private, loopback_port=loopback)
    timeout = httpx2.Timeout(server.timeout_seconds, connect=CONNECT_SECONDS, read=_STREAM_SECONDS)
    return httpx2.AsyncClient(headers=headers, transport=transport, timeout=timeout, trust_env=False)


def _process(server: McpStdioServer, credentials: Credentials) -> mcp.StdioServerParameters:
    """Of our own environment the SDK passes on PATH, HOME and what a login sets; no key of a model, no other tool's."""
    variables = {item.name: _value(item.env, credentials) if item.env else item.value or "" for item in server.env}
    return mcp.StdioServerParameters(command=server.command, args=list(server.args), env=variables)


def _value(variable: str, credentials: Credentials) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise ToolFailureError(f"the credential {variable} is not set")
    credentials.add(value)
    return value


@asynccontextmanager
async def _watched(transport: Any, closed: anyio.Event) -> AsyncIterator[tuple[Any, Any]]:
    """The streams of a transport, and a word when the other side has gone: the SDK only tells the next call."""
    async with transport as (reading, writing):
        sending, receiving = anyio.create_memory_object_stream[Any](0)

        async def relay() -> None:
            try:
                async with sending:
                    async for message in reading:
                        await sending.send(message)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                pass  # we are closing
            finally:
                closed.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(relay)
            try:
                yield receiving, writing
            finally:
                tasks.cancel_scope.cancel()
