"""The Helm operations that change releases: what each needs of RBAC, and the chart that it takes.

The verbs are those that Helm 4 was seen to use (tests/e2e/test_apiserver_helm.py runs it under the rendered Role).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from kagent_render.catalog import kubernetes_resources as resources
from kagent_render.catalog.base import AccessRule, Endpoint, Problem
from kagent_render.catalog.connection import ClientTls
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.catalog.kubernetes_resources import Resource
from kagent_render.catalog.tools.kubernetes_changing import CHANGE_DEFAULT
from kagent_render.catalog.tools.operations import Operation, number, text
from kagent_render.catalog.tools.remote import check_tls
from kagent_render.catalog.tools.urls import check_url, endpoint_of

# What the charts of applications are made of. No RBAC and nothing cluster-scoped: those are granted by naming them.
CHART_DEFAULT = (*CHANGE_DEFAULT, "networkpolicies", "persistentvolumeclaims", "secrets", "serviceaccounts")
_OCI = "oci://"
_CHART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
ALL_NAMESPACES = "*"


class HelmChart(SpecModel):
    """The chart that a tool installs, and how its registry or repository is reached."""

    name: Text = Field(description="oci://HOST/PATH, or the name of a chart in `repository`.")
    repository: Text | None = Field(default=None, description="URL of the chart repository.")
    version: Text | None = Field(
        default=None, description="A version or a range, such as ^1.2; default: the model chooses."
    )
    registry_config_secret_ref: SecretKeyReference | None = Field(
        default=None, description="Credentials of OCI registries: a key that holds a Docker config.json."
    )
    plain_http: bool = Field(default=False, description="Whether an OCI registry is asked without TLS.")
    tls: ClientTls | None = Field(
        default=None, description="The CA and the certificate for it; with a CA, Helm trusts no other one."
    )
    further_hosts: list[Text] = Field(
        default_factory=list, description="Hosts that downloads are redirected to, such as a blob storage; as egress."
    )
    allow_private_addresses: bool = Field(
        default=False, description="Whether these hosts may be on a private network; Services always may."
    )


@dataclass(frozen=True, slots=True)
class Change:
    """An operation: its arguments, its verbs on the Secrets of releases, and on what a chart is made of."""

    summary: str
    operation: Operation
    storage: tuple[str, ...]
    verbs: tuple[str, ...]
    takes_chart: bool = False

    def access(self, granted: list[Resource], namespaces: list[str], *, hooks: bool) -> Iterator[AccessRule]:
        """The rules. Helm replaces the objects of hooks, and waits for what becomes of them."""
        verbs = {*self.verbs, "create", "delete", "get", "list", "patch", "watch"} if hooks else set(self.verbs)
        for namespace in namespaces:
            for verb in self.storage:
                yield AccessRule(namespace, "", "secrets", verb)
        for item in granted:
            for namespace in namespaces if item.namespaced else [ALL_NAMESPACES]:
                for verb in verbs:
                    yield AccessRule(namespace, item.group, item.resource, verb)


_RELEASE, _SPACE = text("Name of the release"), text("Namespace of the release; default: the agent's own")
_VERSION = text("Version of the chart; default: the newest")
_TARGET = {"release": _RELEASE, "namespace": _SPACE}

# The runtime implements exactly these; tests/contract holds both sides together.
CHANGES: dict[str, Change] = {
    "install": Change(
        "Install a Helm chart as a new release.",
        Operation(
            _TARGET | {"version": _VERSION, "values": text("Values that differ from the chart's own, in YAML")},
            ("release",),
        ),
        storage=("create", "list", "update"),
        verbs=("create", "get", "patch"),
        takes_chart=True,
    ),
    "upgrade": Change(
        "Upgrade a Helm release: to a version of its chart, with its values of now and those given.",
        Operation(
            _TARGET | {"version": _VERSION, "values": text("Values to change, in YAML; all others stay as they are")},
            ("release",),
        ),
        storage=("create", "delete", "get", "list", "update"),
        verbs=("create", "delete", "get", "patch"),
        takes_chart=True,
    ),
    "rollback": Change(
        "Roll a Helm release back to an earlier revision. See helm-history first.",
        Operation(_TARGET | {"revision": number("Revision to go back to; default: the last good one")}, ("release",)),
        storage=("create", "delete", "get", "list", "update"),
        verbs=("create", "delete", "get", "patch"),
    ),
    "uninstall": Change(
        "Uninstall a Helm release: delete its objects and its history.",
        Operation(_TARGET, ("release",)),
        storage=("delete", "get", "list", "update"),
        verbs=("delete", "get"),
    ),
}


def check_chart(chart: HelmChart | None, operation: str) -> Iterator[Problem]:
    """A chart that is missing, that is not needed, or that cannot be had."""
    takes_chart = operation in CHANGES and CHANGES[operation].takes_chart
    if chart is None:
        if takes_chart:
            help = "add chart: {name: oci://registry.example.com/charts/shop}"
            yield Problem("KR102", f"`{operation}` needs a `chart`", ("helm",), help)
        return
    place = ("helm", "chart")
    if not takes_chart:
        yield Problem("KR104", f"`{operation}` takes no chart", place, "remove `chart`")
        return
    yield from _check_source(chart)
    if url := url_of(chart):
        yield from check_tls(chart.tls, url, (*place, "tls"))


def _check_source(chart: HelmChart) -> Iterator[Problem]:
    name, is_oci = ("helm", "chart", "name"), chart.name.startswith(_OCI)
    if is_oci == (chart.repository is not None):
        message = "an OCI chart has no `repository`" if is_oci else f"`{chart.name}` does not say where the chart is"
        help = "remove `repository`" if is_oci else "oci://HOST/PATH, or add `repository: https://…`"
        yield Problem("KR104", message, name, help)
        return
    if not is_oci and not _CHART_NAME.match(chart.name):
        yield Problem("KR105", f"`{chart.name}` is not the name of a chart", name, "letters, digits, `-` and `_`")
    place: tuple[int | str, ...] = name if is_oci else ("helm", "chart", "repository")
    allows_private = chart.allow_private_addresses
    yield from check_url(url_of(chart) or "", place, is_template=False, allows_private=allows_private)
    for index, host in enumerate(chart.further_hosts):
        place = ("helm", "chart", "furtherHosts", index)
        yield from check_url(f"https://{host}", place, is_template=False, allows_private=allows_private)
    for field, value in (
        ("registryConfigSecretRef", chart.registry_config_secret_ref),
        ("plainHttp", chart.plain_http),
    ):
        if value and not is_oci:
            message = f"`{field}` is for OCI registries"
            yield Problem("KR104", message, ("helm", "chart", field), f"remove `{field}`")


def url_of(chart: HelmChart) -> str | None:
    """Where the chart is, as a URL."""
    if not chart.name.startswith(_OCI):
        return chart.repository
    return f"{'http' if chart.plain_http else 'https'}://{chart.name.removeprefix(_OCI)}"


def endpoints_of(chart: HelmChart) -> Iterator[Endpoint]:
    """Whom Helm asks for the chart. Only for a checked one."""
    for url in (url_of(chart) or "", *(f"https://{host}" for host in chart.further_hosts)):
        yield endpoint_of(url, is_private=chart.allow_private_addresses)


def check_resources(named: list[str] | None) -> Iterator[Problem]:
    """Names that are no resources."""
    from kagent_render.diagnostics import did_you_mean

    for index, wanted in enumerate(named or ()):
        if resources.find(wanted) is None:
            help = did_you_mean(wanted, resources.names()) or "custom ones: resource.version.group, as in kubectl"
            yield Problem("KR108", f"`{wanted}` is not a Kubernetes resource", ("helm", "resources", index), help)


def granted(named: list[str] | None) -> list[Resource]:
    """The resources that a chart may be made of, each once."""
    found = {
        item.resource + "." + item.group: item for name in named or CHART_DEFAULT if (item := resources.find(name))
    }
    return [found[key] for key in sorted(found)]


def operation_for(name: str, chart: HelmChart | None, releases: list[str] | None) -> Operation:
    """The arguments: a version that the spec fixes is not the model's, and it may name the listed releases only."""
    operation = CHANGES[name].operation
    parameters: dict[str, dict[str, Any]] = dict(operation.parameters)
    if chart is not None and chart.version is not None:
        parameters.pop("version", None)
    if releases:
        parameters["release"] = _RELEASE | {"enum": list(releases)}
    return Operation(parameters, operation.required)
