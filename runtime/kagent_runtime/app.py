"""The application: routes, middleware and lifetime in one view."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from kagent_runtime import __version__, dapr, problems, routes
from kagent_runtime.admission import Admission
from kagent_runtime.auth.middleware import Authentication, Authenticator
from kagent_runtime.closing import close_all
from kagent_runtime.config import LoadedConfig
from kagent_runtime.engine import Engine
from kagent_runtime.guards import Guards
from kagent_runtime.interfaces import registry
from kagent_runtime.sessions import EXPIRY_SECONDS, Sessions
from kagent_runtime.settings import Settings
from kagent_runtime.store import Store
from kagent_runtime.telemetry import routes as telemetry_routes
from kagent_runtime.telemetry.propagation import TraceContext
from kagent_runtime.work import install as work

_STATIC = Path(__file__).parent / "ui" / "static"
_LOOPBACK_HOSTS = {"127.0.0.1", "::1", "localhost"}


def build_app(
    settings: Settings, loaded: LoadedConfig, engine: Engine, store: Store, authenticator: Authenticator
) -> FastAPI:
    """The app over an engine that has started and a store that is open; its lifespan closes the store."""
    expiry = loaded.config.approvals.expirySeconds if loaded.config.approvals else EXPIRY_SECONDS
    admission = Admission(settings.max_runs, settings.max_queued_runs)
    sessions = Sessions(store, engine, loaded.config.limits, expiry, admission)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await sessions.recover()
        work.start(app)
        app.state.is_ready = True
        yield
        await sessions.drain(0)
        await work.leave(app)
        await close_all()
        await store.close()

    app = FastAPI(
        title=loaded.config.metadata.name,
        description=loaded.config.description,
        version=__version__,
        docs_url=None,  # its page loads scripts from a CDN, which the content security policy refuses
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
        middleware=[
            Middleware(Guards, is_loopback=settings.host in _LOOPBACK_HOSTS),
            Middleware(TraceContext),
            Middleware(Authentication, authenticator=authenticator),
        ],
    )
    app.state.is_ready, app.state.started_at = False, int(time.time())
    app.state.settings, app.state.loaded, app.state.store, app.state.sessions = settings, loaded, store, sessions
    app.state.authenticator = authenticator
    problems.install(app)
    app.include_router(routes.router)
    app.include_router(telemetry_routes.router)
    registry.install(app, settings)
    work.install(app, loaded.config, sessions, store)
    if dapr.is_enabled(environ):
        app.include_router(dapr.event_routes(environ))
    _add_health(app, sessions)
    _add_page(app)
    return app


def _add_health(app: FastAPI, sessions: Sessions) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        """Whether the process is alive. Says nothing of the model: a restart would not mend that."""
        return {"status": "ok"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        """Whether to send traffic here."""
        status = "draining" if sessions.is_draining else "ready" if app.state.is_ready else "starting"
        return JSONResponse({"status": status}, 200 if status == "ready" else 503)


class _Revalidated(StaticFiles):
    """The modules have no hash in their names: after an upgrade, a browser must not mix old and new ones."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304; either way asked for again next time."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _add_page(app: FastAPI) -> None:
    app.mount("/static", _Revalidated(directory=_STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        """The web page."""
        return FileResponse(_STATIC / "index.html", headers={"Cache-Control": "no-store"})
