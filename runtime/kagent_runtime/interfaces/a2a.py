"""A2A (Agent2Agent) 1.0 over JSON-RPC, with 0.3 on the same route. The SDK is imported at the first request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from kagent_runtime import a2a_sdk
from kagent_runtime.component_tree import answering_with_json
from kagent_runtime.interfaces.a2a_card import CARD_PATH, RPC_PATH, card
from kagent_runtime.interfaces.view import is_live

if TYPE_CHECKING:
    from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher

router = APIRouter(include_in_schema=False)


@router.get(CARD_PATH)
async def get_card(request: Request) -> JSONResponse:
    """The agent card."""
    loaded, settings = request.app.state.loaded, request.app.state.settings
    base_url = settings.public_url or str(request.base_url).rstrip("/")
    is_json = bool(answering_with_json(loaded.component))
    mode, issuer = request.app.state.authenticator.mode, settings.auth.issuer
    found = card(loaded, base_url, is_json=is_json, mode=mode, issuer=issuer)
    # Not to be shared: the address in it may be the one that this client has used.
    return JSONResponse(found, headers={"Cache-Control": "private, max-age=60"})


@router.post(RPC_PATH)
@router.post(f"{RPC_PATH}/")
async def rpc(request: Request) -> Response:
    """One JSON-RPC request."""
    state = request.app.state
    if not hasattr(state, "a2a"):
        state.a2a = asyncio.ensure_future(a2a_sdk.loaded(_load))
    dispatcher_class, handler_class = await asyncio.shield(state.a2a)
    handler = handler_class(state.sessions, state.store, is_live=is_live(state.loaded))
    dispatcher: JsonRpcDispatcher = dispatcher_class(handler, enable_v0_3_compat=True)
    return await dispatcher.handle_requests(request)


def _load() -> tuple[type, type]:
    from a2a.server.routes.jsonrpc_dispatcher import JsonRpcDispatcher

    from kagent_runtime.interfaces.a2a_handler import Handler

    return JsonRpcDispatcher, Handler
