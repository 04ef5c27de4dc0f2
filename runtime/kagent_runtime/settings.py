"""Settings from flags and `KAGENT_*` variables, read once at the start and frozen."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from kagent_runtime.auth.settings import AuthSettings, read_auth

ModelMode = Literal["real", "replay"]
TlsClients = Literal["any", "required"]
INTERFACES = ("openai", "a2a", "mcp")
ClusterMode = Literal["in-cluster", "kubeconfig", "sample"]
Arguments = Literal["omitted", "hashed", "redacted"]
DEFAULT_RUNS, DEFAULT_QUEUED = 32, 64
SERVICE_ACCOUNT_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs. Times are in seconds."""

    config_path: str
    host: str
    port: int
    database_url: str
    model_mode: ModelMode
    model_base_url: str | None
    cluster_mode: ClusterMode
    kube_context: str | None
    namespace: str
    drain_seconds: float
    log_level: str
    tls_folder: str | None = None
    tls_clients: TlsClients = "any"
    management_port: int = 8081
    interfaces: tuple[str, ...] = INTERFACES
    public_url: str | None = None
    max_runs: int = DEFAULT_RUNS
    max_queued_runs: int = DEFAULT_QUEUED
    audit_arguments: Arguments = "hashed"
    auth: AuthSettings = field(default_factory=AuthSettings)


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Flags win over variables. Exits with 2 and a usage line on a bad flag, as argparse does. Raises AuthError."""
    options = _parser(environment).parse_args(arguments)
    state_dir = environment.get("KAGENT_STATE_DIR", "/var/lib/kagent")
    return Settings(
        config_path=options.config,
        host=options.host,
        port=options.port,
        database_url=options.database_url or f"sqlite+aiosqlite:///{state_dir}/sessions.db",
        model_mode=cast(ModelMode, options.model),
        model_base_url=options.model_base_url,
        cluster_mode=cast(ClusterMode, options.cluster),
        kube_context=options.kube_context,
        namespace=environment.get("POD_NAMESPACE") or _own_namespace(),
        drain_seconds=options.drain_seconds,
        log_level=options.log_level,
        tls_folder=options.tls_folder,
        tls_clients=cast(TlsClients, options.tls_clients),
        management_port=options.management_port,
        interfaces=options.interfaces,
        public_url=options.public_url,
        max_runs=options.max_runs,
        max_queued_runs=options.max_queued_runs,
        audit_arguments=cast(Arguments, options.audit_arguments),
        auth=read_auth(environment),
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    in_cluster = "in-cluster" if "KUBERNETES_SERVICE_HOST" in environment else "kubeconfig"
    parser = argparse.ArgumentParser(
        prog="kagent-runtime", description="Serve an agent or team from its RuntimeConfig."
    )

    def option(name: str, default: str | None, **more: object) -> None:
        variable = "KAGENT_" + name.lstrip("-").upper().replace("-", "_")
        parser.add_argument(name, default=environment.get(variable, default), **more)  # type: ignore[arg-type]

    option("--config", "/etc/kagent/runtime.json", metavar="FILE", help="the RuntimeConfig")
    option("--host", "0.0.0.0", help="address to listen on")
    option("--port", "8080", type=int, help="port to listen on; 0 picks a free one")
    option("--database-url", None, metavar="URL", help="default: a SQLite file in KAGENT_STATE_DIR")
    option("--model", "real", choices=["real", "replay"], help="replay: no model is called")
    option("--model-base-url", None, metavar="URL", help="use this server for every model")
    option("--cluster", in_cluster, choices=["in-cluster", "kubeconfig", "sample"], help="where Kubernetes tools read")
    option("--kube-context", None, metavar="C", help="context of the kubeconfig")
    option("--drain-seconds", "20", type=float, help="how long running turns may go on after SIGTERM")
    option("--log-level", "info", choices=["debug", "info", "warning", "error"], help="what is logged")
    option("--tls-folder", None, metavar="DIR", help="serve TLS with tls.crt and tls.key; ca.crt verifies callers")
    option("--tls-clients", "any", choices=["any", "required"], help="required: only callers with a certificate")
    option("--interfaces", ",".join(INTERFACES), type=_interfaces, metavar="LIST", help="protocols beside our own API")
    option("--public-url", None, type=_url, metavar="URL", help="where others reach this server; default: as they did")
    option("--management-port", "8081", type=int, help="health and metrics, with TLS or authentication; 0: a free one")
    option("--max-runs", str(DEFAULT_RUNS), type=_number(1), help="runs at once; more wait")
    option("--max-queued-runs", str(DEFAULT_QUEUED), type=_number(0), help="how many wait; more are refused")
    choices = ["omitted", "hashed", "redacted"]
    option("--audit-arguments", "hashed", choices=choices, help="how the audit log tells the arguments of tools")
    return parser


def _interfaces(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := sorted(set(names) - set(INTERFACES)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(INTERFACES)}")
    return names


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("an address starts with http:// or https://")
    return text.rstrip("/")


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise ValueError
        return value

    return number


def _own_namespace() -> str:
    try:
        with open(SERVICE_ACCOUNT_NAMESPACE, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return "default"


def current_settings() -> Settings:
    """Settings of this process, from its own command line."""
    import sys

    return read_settings(sys.argv[1:], os.environ)
