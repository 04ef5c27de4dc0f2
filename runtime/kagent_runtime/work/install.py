"""The worker in the process: made with the app, started when it is ready, and gone before the database is closed."""

from __future__ import annotations

import uuid
from os import environ

from fastapi import FastAPI

from kagent_runtime.model import RuntimeConfig
from kagent_runtime.sessions import Sessions
from kagent_runtime.store import Store


def install(app: FastAPI, config: RuntimeConfig, sessions: Sessions, store: Store) -> None:
    """The worker and its routes; nothing without a queue, whose libraries are not loaded then."""
    app.state.worker = None
    if config.queue is None:
        return
    from kagent_runtime.auth.identity import ANONYMOUS, Identity
    from kagent_runtime.work.registry import source_of
    from kagent_runtime.work.routes import router
    from kagent_runtime.work.worker import Worker

    source = source_of(config.queue, store.tasks, uuid.uuid4().hex, environ)
    identity = ANONYMOUS if app.state.authenticator.mode == "none" else Identity("queue")
    app.state.worker = Worker(config.queue, source, sessions, store, identity)
    app.include_router(router)


def start(app: FastAPI) -> None:
    """Begin to take tasks."""
    if app.state.worker is not None:
        app.state.worker.start()


async def stop_claiming(app: FastAPI) -> None:
    """Take no more tasks."""
    if app.state.worker is not None:
        await app.state.worker.stop_claiming()


async def leave(app: FastAPI) -> None:
    """Hand over what has not ended."""
    if app.state.worker is not None:
        await app.state.worker.leave()
