"""A workflow that holds the manifests in Git to their specs, and tells in a pull request what a change means."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render import __version__
from kagent_render.targets.templating import template_folder

PROVIDERS = ("github", "gitlab")


def workflow(provider: str, path: str, branch: str, environments: Sequence[str]) -> str:
    """The text of the workflow. The names are such that a shell takes them as they are."""
    return filled(f"ci/{provider}.yaml", path, branch, environments)


def filled(template: str, path: str, branch: str, environments: Sequence[str]) -> str:
    """A workflow among the templates, which is text: its own `${{ }}` and its comments stay."""
    text = (template_folder() / template).read_text(encoding="utf-8")
    folder = path.rstrip("/") or "."
    words = {
        "@ENVS@": " ".join(environments),
        "@GLOB@": "**" if folder == "." else f"{folder.removeprefix('./')}/**",
        "@PATH@": folder,
        "@BRANCH@": branch,
        "@VERSION@": __version__,
    }
    for word, value in words.items():
        text = text.replace(word, value)
    return text
