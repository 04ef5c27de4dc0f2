"""The Helm operations that change releases: each makes a plan, which is what a person approves, and is then done.

The plan is the difference between what a release consists of and what it would: by a dry run on the API server, or by
the stored revisions. What Secrets hold is masked; that a value changes is told.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kagent_runtime.components.cluster import CONNECTION
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.helm_objects import Objects, objects, resource_of, title_of
from kagent_runtime.components.helm_program import run_helm
from kagent_runtime.components.helm_rehearsal import rehearse
from kagent_runtime.components.helm_releases import Release, checked_name, granted_namespace, releases
from kagent_runtime.components.kubernetes_arguments import ArgumentError
from kagent_runtime.components.kubernetes_manifest import load_object
from kagent_runtime.components.kubernetes_objects import difference
from kagent_runtime.model.helm_tools import HelmChart, HelmTool

_GOOD = ("deployed", "superseded")
_KEPT = "helm.sh/resource-policy"
_VERSION = re.compile(r"[0-9A-Za-z.^~<>=|*+ -]{1,100}\Z")
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be changed, in words, and the command that does it."""

    preview: str
    command: tuple[str, ...]
    given: bytes = b""

    async def commit(self) -> str:
        """Do it. Raises ToolFailureError."""
        await run_helm(self.command, self.given)
        return f"done: {self.preview}"


async def plan(tool: HelmTool, arguments: Arguments) -> Plan:
    """The plan of a call. Raises ToolFailureError for one that would fail, and ClusterError."""
    name = checked_name(str(arguments["release"]))
    if tool.releases and name not in tool.releases:
        raise ToolFailureError(f"`{name}` may not be changed; {tool.name} is for: {', '.join(tool.releases)}")
    namespace = granted_namespace(tool.namespaces, arguments.get("namespace"))
    if namespace is None:
        raise ToolFailureError("`namespace` must name the namespace of the release")
    found = await asyncio.to_thread(releases, namespace, min(tool.timeout_seconds, 30.0), name)
    return await _PLANS[tool.operation](tool, arguments, _Target(name, namespace, found))


@dataclass(frozen=True, slots=True)
class _Target:
    """The release that is meant, with its revisions, the oldest first."""

    name: str
    namespace: str
    revisions: list[Release]

    @property
    def current(self) -> Release:
        """The newest revision. Raises ToolFailureError if there is none."""
        if not self.revisions:
            raise ToolFailureError(f"there is no release `{self.name}` in {self.namespace}")
        return self.revisions[-1]

    @property
    def title(self) -> str:
        """In words."""
        return f"release {self.name} in namespace {self.namespace}"


async def _install(tool: HelmTool, arguments: Arguments, target: _Target) -> Plan:
    if target.revisions:
        raise ToolFailureError(f"{target.title} is there already, as revision {target.current.revision}: upgrade it")
    return await _charted(tool, arguments, target, ("install", "--skip-crds"))


async def _upgrade(tool: HelmTool, arguments: Arguments, target: _Target) -> Plan:
    if target.current.info.get("status", "").startswith("pending"):
        raise ToolFailureError(f"another change of {target.title} has not ended: {target.current.info['status']}")
    return await _charted(tool, arguments, target, ("upgrade", "--reset-then-reuse-values"))


async def _charted(tool: HelmTool, arguments: Arguments, target: _Target, verb: tuple[str, ...]) -> Plan:
    if tool.chart is None:
        raise ToolFailureError(f"{tool.name} has no chart")
    command = (
        *verb,
        *_common(tool, target),
        *_source(tool.chart, arguments),
        "--values=-",
        target.name,
        tool.chart.name,
    )
    values = json.dumps(_values(arguments)).encode()
    printed = await run_helm((*command, "--dry-run=server", "--output=json"), values)
    planned = json.loads(printed[max(0, printed.find(b"{")) :])  # before it, what was pulled from an OCI registry
    wanted = Release(target.namespace, planned)
    before = str(target.current.data.get("manifest") or "") if target.revisions else ""
    then = f"to {wanted.chart}, revision {wanted.revision}"
    now = f"from {target.current.chart}, revision {target.current.revision}, " if target.revisions else ""
    headline = f"{verb[0]} {target.title} {now}{then}"
    command = (*command, f"--version={_exact(planned)}")
    return await _planned(tool, target, headline, before, planned, command, values)


async def _rollback(tool: HelmTool, arguments: Arguments, target: _Target) -> Plan:
    now = target.current
    number = arguments.get("revision") or next(
        (one.revision for one in reversed(target.revisions[:-1]) if one.info.get("status") in _GOOD), None
    )
    wanted = next((one for one in target.revisions if one.revision == number), None)
    if wanted is None or wanted is now:
        known = ", ".join(str(one.revision) for one in target.revisions[:-1]) or "none"
        raise ToolFailureError(f"{target.title} cannot go back to revision {number or 'before'}; earlier ones: {known}")
    headline = f"roll {target.title} back from revision {now.revision} ({now.chart}) to {number} ({wanted.chart})"
    command = ("rollback", *_common(tool, target), target.name, str(number))
    return await _planned(tool, target, headline, str(now.data.get("manifest") or ""), wanted.data, command)


async def _uninstall(tool: HelmTool, arguments: Arguments, target: _Target) -> Plan:
    headline = (
        f"uninstall {target.title} ({target.current.chart}) with its history of {len(target.revisions)} revisions"
    )
    command = ("uninstall", *_common(tool, target), target.name)
    gone = target.current.data | {"manifest": ""}
    return await _planned(tool, target, headline, str(target.current.data.get("manifest") or ""), gone, command)


_PLANS: dict[str, Callable[[HelmTool, Arguments, _Target], Coroutine[Any, Any, Plan]]] = {
    "install": _install,
    "upgrade": _upgrade,
    "rollback": _rollback,
    "uninstall": _uninstall,
}
CHANGES = frozenset(_PLANS)


def _common(tool: HelmTool, target: _Target) -> tuple[str, ...]:
    # Helm's own deadline is before the tool's, so that it can write down how far it got.
    seconds = max(1, int(tool.timeout_seconds * 0.8))
    # Who did it is in `helm history`.
    found = (f"--namespace={target.namespace}", f"--timeout={seconds}s", f"--description=by {CONNECTION.field_manager}")
    return found if tool.hooks else (*found, "--no-hooks")


def _source(chart: HelmChart, arguments: Arguments) -> Iterator[str]:
    version = chart.version or arguments.get("version")
    if version is not None and not _VERSION.match(str(version)):
        raise ToolFailureError(f"`{str(version)[:60]}` is not a version")
    options = {
        "--version": str(version) if version else None,
        "--repo": chart.repository,
        "--registry-config": chart.registry_config,
        "--ca-file": chart.tls.ca if chart.tls else None,
        "--cert-file": chart.tls.certificate if chart.tls else None,
        "--key-file": chart.tls.key if chart.tls else None,
    }
    yield from (f"{option}={value}" for option, value in options.items() if value)
    if chart.plain_http:
        yield "--plain-http"


def _values(arguments: Arguments) -> dict[str, Any]:
    try:
        return load_object(str(arguments["values"]), "values") if arguments.get("values") else {}
    except ArgumentError as error:
        raise ToolFailureError(str(error)) from None


def _exact(planned: Mapping[str, Any]) -> str:
    """The version that was seen: a newer one may be published before it is approved."""
    return str(((planned.get("chart") or {}).get("metadata") or {}).get("version") or "")


async def _planned(
    tool: HelmTool,
    target: _Target,
    headline: str,
    before: str,
    planned: Mapping[str, Any],
    command: tuple[str, ...],
    given: bytes = b"",
) -> Plan:
    old, new = objects(before), objects(str(planned.get("manifest") or ""))
    wanted = [item for key, item in new.items() if old.get(key) != item]
    unwanted = [item for key, item in old.items() if key not in new and not _is_kept(item)]
    await asyncio.to_thread(rehearse, wanted, unwanted, target.namespace, min(tool.timeout_seconds, 30.0))
    changes = list(_changes(old, new)) or ["No object changes."]
    return Plan("\n".join([headline, *_hooks(planned, runs=tool.hooks), *changes]), command, given)


def _hooks(planned: Mapping[str, Any], *, runs: bool) -> Iterator[str]:
    names = [f"{hook.get('kind')}/{hook.get('name')}" for hook in planned.get("hooks") or ()]
    if names:
        yield f"Hooks of the chart, which {'run' if runs else 'do not run'}: {', '.join(sorted(names))}"


def _changes(before: Objects, after: Objects) -> Iterator[str]:
    for key in sorted({*before, *after}):
        title, kind = title_of(key), key[0]
        old, new = before.get(key), after.get(key)
        if new is None:
            yield f"{'keep' if old is not None and _is_kept(old) else 'delete'} {title}"
        elif diff := difference(old, new, resource_of(kind)):
            yield f"{'create' if old is None else 'change'} {title}\n{diff}"


def _is_kept(item: Mapping[str, Any]) -> bool:
    return (item["metadata"].get("annotations") or {}).get(_KEPT) == "keep"
