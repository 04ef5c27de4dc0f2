"""The pipeline: paths to checked objects. Every stage takes values and a collector; nothing here prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kagent_render.checks import check
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower import ServerWorkload, Workload, lower
from kagent_render.resolve import Graph, link
from kagent_render.resolve.tool_lock import check_tool_lock
from kagent_render.schemas import NEWEST
from kagent_render.source import (
    Document,
    ImageLock,
    SourceFile,
    ToolLock,
    apply_overlays,
    discover,
    discover_environment,
    read_documents,
    read_lock,
    read_prompts,
    read_python_files,
    read_settings,
    read_tool_lock,
)
from kagent_render.specs.decode import decode
from kagent_render.specs.secrets import check_secrets, check_secrets_in_files
from kagent_render.targets import render
from kagent_render.targets.objects import RenderedObject
from kagent_render.targets.overrides import overriding_templates


@dataclass(frozen=True, slots=True)
class Compilation:
    """What a compilation yields. With errors there are no objects at all."""

    files: tuple[SourceFile, ...]
    graph: Graph
    workloads: tuple[Workload, ...]
    servers: tuple[ServerWorkload, ...]
    objects: tuple[RenderedObject, ...]
    diagnostics: Diagnostics


def compile_paths(
    paths: Sequence[str],
    namespace: str | None = None,
    environment: str | None = None,
    *,
    templates: str | None = None,
    kube_version: str = NEWEST,
    is_locked: bool = True,
    has_locked_tools: bool = True,
    settings: Sequence[str] = (),
    more: Sequence[SourceFile] = (),
) -> Compilation:
    """Compile the specs under `paths`, with the overlays of an environment if one is named.

    `namespace` is for documents without one. `templates` is a folder with templates in place of shipped ones.
    `kube_version` is the minor version of Kubernetes whose API server is to take the objects.
    `settings` are single fields, `KIND/NAME:FIELD=VALUE`, which come last.
    `more` are specs that come from elsewhere than a file.
    Without `is_locked`, images.lock is not read: that is how it is written. So it is with `has_locked_tools` and
    tools.lock.
    """
    diagnostics = Diagnostics()
    files = [*discover(paths, diagnostics), *more]
    overlays = discover_environment(paths, environment, diagnostics) if environment is not None else []
    overlays = [*overlays, *read_settings(settings, diagnostics)]
    images = read_lock(paths, environment, diagnostics) if is_locked else ImageLock()
    tools = read_tool_lock(paths, environment, diagnostics) if has_locked_tools else ToolLock()
    with overriding_templates(templates, diagnostics, kube_version):
        return _compile(files, overlays, images, tools, namespace, diagnostics, paths, kube_version)


def _compile(
    files: Sequence[SourceFile],
    overlays: Sequence[SourceFile],
    images: ImageLock,
    tools: ToolLock,
    namespace: str | None,
    diagnostics: Diagnostics,
    paths: Sequence[str],
    kube_version: str,
) -> Compilation:
    documents = _read(files, diagnostics)
    check_secrets(documents, diagnostics)
    changes = _read(overlays, diagnostics)
    check_secrets(changes, diagnostics)
    whole, prompts = read_prompts(apply_overlays(documents, changes, diagnostics), paths, diagnostics)
    whole, code = read_python_files(whole, paths, diagnostics)
    check_secrets_in_files([*prompts, *code], diagnostics)
    specs = decode(whole, diagnostics)
    if not specs and not diagnostics.has_errors:
        diagnostics.add("KR009", "no specs of kagent.dev/v1alpha1 in the paths given", None)
    graph = link(specs, diagnostics, tools)
    check_tool_lock(graph, tools.servers, diagnostics)
    workloads, servers = lower(graph, namespace, images, diagnostics)
    _warn_of_pod_local_sessions(workloads, diagnostics)
    objects = render(workloads, servers, diagnostics)
    check(objects, diagnostics, kube_version)
    if diagnostics.has_errors:
        objects = []
    read = (*files, *overlays, *images.files, *tools.files, *prompts, *code)
    return Compilation(read, graph, tuple(workloads), tuple(servers), tuple(objects), diagnostics)


def _read(files: Sequence[SourceFile], diagnostics: Diagnostics) -> list[Document]:
    return [document for file in files for document in read_documents(file, diagnostics)]


def _warn_of_pod_local_sessions(workloads: Sequence[Workload], diagnostics: Diagnostics) -> None:
    for workload in workloads:
        if workload.most_replicas > 1 and workload.forgets:
            message = f"`{workload.name}` may have {workload.most_replicas} replicas, each with its own conversations"
            help = "keep conversations in a database (persistence.database), or one replica"
            diagnostics.add("KR313", message, workload.origin, help=help)
