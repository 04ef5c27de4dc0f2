"""The protocols that a process serves. What one of them needs is imported when it is first used."""

from __future__ import annotations

from fastapi import FastAPI

from kagent_runtime.settings import Settings


def install(app: FastAPI, settings: Settings) -> None:
    """Add the routes of the protocols that are on."""
    if "openai" in settings.interfaces:
        from kagent_runtime.interfaces import openai_chat

        app.include_router(openai_chat.router)
    if "a2a" in settings.interfaces:
        from kagent_runtime.interfaces import a2a

        app.include_router(a2a.router)
    if "mcp" in settings.interfaces:
        from kagent_runtime.interfaces import mcp

        mcp.install(app)
