"""The user's own kubectl as a subprocess: it has their kubeconfig, their login plugins and their version of the API."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from kagent_render.cli.output import say

Object = dict[str, Any]
_SECONDS = 180
_LOG = re.compile(r"[EIWF][0-9]{4} ")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that the cluster serves: `name` is what kubectl calls it, `deployments.apps`."""

    name: str
    group: str
    kind: str
    is_namespaced: bool


class Kubectl:
    """Commands for one context; every failure is a UsageError with what kubectl says."""

    def __init__(self, context: str | None) -> None:
        self._options = ["--request-timeout=30s", *([f"--context={context}"] if context else [])]

    def resources(self) -> list[Resource]:
        """Everything that can be listed in the cluster."""
        lines = self._run(["api-resources", "--verbs=list", "--no-headers"], None, is_partial_good=True).splitlines()
        return [_resource(line.split()) for line in lines if len(line.split()) >= 4]

    def namespace(self) -> str:
        """The namespace of the context: where kubectl puts what names none."""
        shown = self._run(["config", "view", "--minify", "-o", "jsonpath={..namespace}"], None)
        return shown.strip() or "default"

    def live(self, objects: Sequence[Object]) -> list[Object]:
        """What the cluster holds of these objects."""
        return self._objects(["get", "--ignore-not-found", "--show-managed-fields", "-f", "-"], objects)

    def applied(self, objects: Sequence[Object], manager: str) -> list[Object]:
        """What these objects would be after a server-side apply. A dry run: nothing is changed."""
        arguments = ["apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=ignore"]
        return self._objects([*arguments, f"--field-manager={manager}", "-f", "-"], objects)

    def labelled(self, resources: Iterable[Resource], label: str, namespace: str | None) -> list[Object]:
        """Objects with a label; in a namespace, or of the cluster. What may not be listed is left out, and said."""
        names = ",".join(resource.name for resource in resources)
        if not names:
            return []
        where = ["-n", namespace] if namespace else []
        return _items(self._run(["get", names, *where, "-l", label, "-o", "json"], None, is_partial_good=True))

    def _objects(self, arguments: Sequence[str], objects: Sequence[Object]) -> list[Object]:
        if not objects:
            return []
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return _items(self._run([*arguments, "-o", "json"], given))

    def _run(self, arguments: Sequence[str], given: str | None, is_partial_good: bool = False) -> str:
        try:
            done = subprocess.run(
                ["kubectl", *self._options, *arguments],
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            help = "install it (https://kubernetes.io/docs/tasks/tools/), or compare with a folder: -o"
            raise click.UsageError(f"--live needs `kubectl`, which is not installed; {help}") from None
        except subprocess.TimeoutExpired:
            raise click.UsageError(f"kubectl {arguments[0]} did not end within {_SECONDS} seconds") from None
        if done.returncode and not (is_partial_good and done.stdout.strip()):
            raise click.UsageError(f"kubectl {arguments[0]} failed: {_reason(done.stderr)}")
        if done.returncode:
            say(f"kubectl {arguments[0]} answered in part: {_reason(done.stderr)}")
        return done.stdout


def _resource(words: Sequence[str]) -> Resource:
    """A line of `api-resources`: name, perhaps short names, apiVersion, namespaced, kind."""
    group = words[-3].rpartition("/")[0]
    return Resource(f"{words[0]}.{group}" if group else words[0], group, words[-1], words[-2] == "true")


def _items(text: str) -> list[Object]:
    if not text.strip():
        return []
    found = json.loads(text)
    return list(found["items"]) if found.get("kind", "").endswith("List") and "items" in found else [found]


def _reason(text: str) -> str:
    """The last lines that are for people: client-go logs its retries before them."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _LOG.match(line)]
    crash = [line for line in lines if line.startswith("panic: ")]
    return "; ".join(crash or lines[-3:]) or "it does not say why"


def group_of(item: Mapping[str, Any]) -> str:
    """The API group of an object; empty for the core."""
    return str(item["apiVersion"]).rpartition("/")[0]
