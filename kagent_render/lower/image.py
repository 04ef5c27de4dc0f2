"""The images that pods run: pinned by images.lock, pulled from the registry that the Platform names."""

from __future__ import annotations

from kagent_render.diagnostics import Diagnostics
from kagent_render.lower.agent import lower_tools
from kagent_render.resolve import Graph
from kagent_render.source import ImageLock


def named_images(graph: Graph) -> list[str]:
    """The images as specs name them: the Platform's, and those of the servers of tools that an agent uses."""
    servers = [tool.server for agent in graph.agents for tool in lower_tools(agent) if tool.server]
    return sorted({graph.platform.image, *(server.image for server in servers)})


def resolve_image(image: str, graph: Graph, lock: ImageLock, diagnostics: Diagnostics) -> str:
    """An image as manifests name it. A lock without this image is a KR563."""
    pinned = lock.pinned(image)
    if lock.files and pinned is None:
        help = "run `kagent-render images --lock`, or add the digest"
        diagnostics.add("KR563", f"`{image}` is not in the lock", lock.span, help=help)
    return mirrored(pinned or image, graph.platform.registries)


def mirrored(image: str, registries: dict[str, str]) -> str:
    """The image at the mirror of its registry: the longest prefix of whole path segments counts."""
    for prefix in sorted(registries, key=len, reverse=True):
        rest = image.removeprefix(prefix)
        if rest != image and rest[0] in "/:@":
            return registries[prefix] + rest
    return image
