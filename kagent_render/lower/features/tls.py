"""TLS: the certificate's files, what tells the runtime to serve with them, and a plain port for probes.

The kubelet has no client certificate, so its probes go to a port of their own, which serves health and metrics only.
"""

from __future__ import annotations

from kagent_render.catalog.base import TLS_FOLDER, ContainerPort, Contribution, Mount, Variable
from kagent_render.lower.workload import Workload

SERVER_FOLDER = f"{TLS_FOLDER}/server"
MANAGEMENT = ContainerPort("management", 8081)


def contribute(workload: Workload) -> Contribution:
    """Nothing, unless the Platform asks for TLS."""
    tls = workload.platform.tls
    if tls is None:
        return Contribution()
    variables = {Variable("KAGENT_TLS_FOLDER", SERVER_FOLDER)}
    if tls.mutual:
        variables.add(Variable("KAGENT_TLS_CLIENTS", "required"))
    mount = Mount("tls", SERVER_FOLDER, secret=certificate_secret(workload.name), is_issued=True)
    return Contribution(frozenset(variables), frozenset({mount}), ports=frozenset({MANAGEMENT}))


def certificate_secret(name: str) -> str:
    """The Secret that cert-manager writes the certificate of a workload to."""
    return f"{name}-tls"
