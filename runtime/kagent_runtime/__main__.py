"""`python -m kagent_runtime`: read, check, start, serve. The config is refused before any agent library loads."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from kagent_runtime.auth.settings import AuthError, decide
from kagent_runtime.config import ConfigError, LoadedConfig, load_config
from kagent_runtime.settings import Settings, current_settings

EX_CONFIG = 78  # sysexits.h: something was found in an unconfigured or misconfigured state
EX_USAGE_OR_IO = 2


def main() -> int:
    """The exit code: 0 after a signal, 78 for a config that cannot be used, 2 for an address that is taken."""
    try:
        settings = current_settings()
        mode = decide(settings.auth, settings.host, settings.tls_clients, settings.tls_folder is not None)
        loaded = load_config(settings.config_path)
    except (AuthError, ConfigError) as error:
        print(f"kagent-runtime: {error}", file=sys.stderr)  # noqa: T201
        return EX_CONFIG
    # Heavy from here on: the agent library, the web framework, the database layer.
    from kagent_runtime.audit import show_arguments
    from kagent_runtime.autogen_engine import AutoGenEngine
    from kagent_runtime.engine import EngineError
    from kagent_runtime.logs import configure_logs
    from kagent_runtime.server import fail, listen, serve
    from kagent_runtime.telemetry import start_telemetry
    from kagent_runtime.telemetry.engine import ObservedEngine

    configure_logs(settings.log_level)
    show_arguments(settings.audit_arguments)
    stop_sample = _connect(settings, loaded.config.metadata.name)
    stop_telemetry = start_telemetry(loaded, os.environ)
    engine = ObservedEngine(AutoGenEngine(loaded, is_replay=settings.model_mode == "replay"), loaded.config)
    try:
        asyncio.run(engine.start())
        listener = listen(settings.host, settings.port)
    except EngineError as error:
        return fail(f"{error.title}: {error.detail}", EX_CONFIG)
    except OSError as error:
        return fail(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}", EX_USAGE_OR_IO)
    try:
        from kagent_runtime import dapr
        from kagent_runtime.app import build_app
        from kagent_runtime.auth.middleware import Authenticator
        from kagent_runtime.store import Store, StoreError
        from kagent_runtime.transport import TlsError

        authenticator = Authenticator(mode, settings.auth, os.environ.get(dapr.TOKEN, ""))
        store = Store(settings.database_url, _workload(settings, loaded))
        app = build_app(settings, loaded, engine, store, authenticator)
        return _run_loop(serve(app, settings, listener))
    except StoreError as error:
        return fail(f"the database cannot be used: {error}", EX_CONFIG)
    except TlsError as error:
        return fail(f"the certificate cannot be used: {error}", EX_CONFIG)
    except AuthError as error:
        return fail(str(error), EX_CONFIG)
    finally:
        stop_sample()
        stop_telemetry()


def _workload(settings: Settings, loaded: LoadedConfig) -> str:
    """What tells this agent or team from others in one database."""
    about = loaded.config.metadata
    return f"{about.namespace or settings.namespace} {about.kind} {about.name}"


def _run_loop(serving: Coroutine[Any, Any, int]) -> int:
    try:
        from uvloop import run
    except ImportError:  # not on every platform; the standard loop is slower, not different
        return asyncio.run(serving)
    return run(serving)


def _connect(settings: Settings, name: str) -> Callable[[], None]:
    from kagent_runtime.components.cluster import CONNECTION

    CONNECTION.mode, CONNECTION.context = settings.cluster_mode, settings.kube_context
    CONNECTION.namespace = settings.namespace
    CONNECTION.field_manager = f"kagent-{name}"[:128]  # what the API server takes
    if settings.model_base_url:
        os.environ["KAGENT_MODEL_BASE_URL"] = settings.model_base_url
    if settings.cluster_mode != "sample":
        return lambda: None
    from kagent_runtime.demo.sample_cluster import SampleCluster

    cluster = SampleCluster(settings.namespace)
    CONNECTION.sample_url = cluster.start()
    return cluster.stop


if __name__ == "__main__":
    sys.exit(main())
