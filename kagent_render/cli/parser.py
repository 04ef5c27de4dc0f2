"""Options and arguments. A command's module is imported when it runs, so that `--help` stays quick."""

from __future__ import annotations

import click

from kagent_render import __version__

_FORMATS = click.Choice(["concise", "full", "json", "github", "sarif"])
_paths = click.argument("paths", nargs=-1, type=click.Path())
_environment = click.option("--env", "-e", "environment", metavar="E", help="Merge the overlays of environments/E.")
_namespace = click.option("--namespace", "-n", metavar="N", help="Namespace for documents without one.")
_templates = click.option(
    "--templates", metavar="DIR", type=click.Path(), help="Templates of yours, in place of the shipped ones."
)

_settings = click.option(
    "--set", "settings", metavar="KIND/NAME:FIELD=VALUE", multiple=True, help="Change a field of a spec; repeatable."
)


def _minor(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    from kagent_render.schemas import MINORS, NEWEST

    if value is None:
        return NEWEST
    minor = ".".join(value.removeprefix("v").split(".")[:2])
    if minor not in MINORS:
        raise click.BadParameter(f"Kubernetes `{value}` is not supported; one of {', '.join(MINORS)}")
    return minor


_kube_version = click.option(
    "--kube-version", metavar="1.X", callback=_minor, help="Kubernetes to check the objects for; default: the newest."
)
_context = click.option("--context", metavar="C", help="The kubeconfig context; default: the current one.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kagent-render")
def cli() -> None:
    """Compile AI agent specs into plain Kubernetes manifests."""


@cli.command()
@_paths
@_namespace
@_environment
@click.option("--output", "-o", metavar="DIR", type=click.Path(), help="Write one folder a workload instead of stdout.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when DIR is not up to date. Needs -o.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when a file was created, changed or deleted. Needs -o.")
@click.option("--format", "format_", type=_FORMATS, help="Form of the diagnostics on stderr.")
@_templates
@_kube_version
@_settings
def build(
    paths: tuple[str, ...],
    namespace: str | None,
    environment: str | None,
    output: str | None,
    check: bool,
    exit_code: bool,
    format_: str | None,
    templates: str | None,
    kube_version: str,
    settings: tuple[str, ...],
) -> int:
    """Compile specs to manifests, on stdout or into a folder."""
    from kagent_render.cli import build as command

    if (check or exit_code) and output is None:
        raise click.UsageError(f"{'--check' if check else '--exit-code'} needs --output DIR")
    folder = command.Folder(output, check, exit_code) if output is not None else None
    return command.run(paths or (".",), namespace, environment, folder, format_, templates, kube_version, settings)


@cli.command()
@_paths
@_namespace
@_environment
@click.option("--format", "format_", type=_FORMATS, help="Form of the diagnostics on stdout.")
@_templates
@_kube_version
@_settings
def check(
    paths: tuple[str, ...],
    namespace: str | None,
    environment: str | None,
    format_: str | None,
    templates: str | None,
    kube_version: str,
    settings: tuple[str, ...],
) -> int:
    """Report every defect of the specs; write nothing."""
    from kagent_render.cli import check as command

    return command.run(paths or (".",), namespace, environment, format_, templates, kube_version, settings)


@cli.command()
@_paths
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not in its form.")
def fmt(paths: tuple[str, ...], check: bool) -> int:
    """Bring specs into one form: indentation and spaces. Exit 1 when a file was not; comments are kept."""
    from kagent_render.cli import fmt as command

    return command.run(paths or (".",), check)


@cli.command()
@click.argument("subject", metavar="CODE|KIND[.FIELD]")
@click.option("--recursive", is_flag=True, help="Of a kind or field, show all fields below, without their text.")
def explain(subject: str, recursive: bool) -> int:
    """Explain a diagnostic code (KR201), a kind (Agent) or a field (agent.spec.tools)."""
    from kagent_render.cli import explain as command

    return command.run(subject, recursive)


@cli.command()
@click.argument("kind", required=False)
@click.option("--output", "-o", metavar="DIR", type=click.Path(), help="Write one file a kind, and all.schema.json.")
@click.option("--markdown", is_flag=True, help="Print the reference page of all kinds instead.")
@click.option(
    "--tools", metavar="DIR", type=click.Path(), help="Write a page for each tool type, with its RBAC, instead."
)
def schema(kind: str | None, output: str | None, markdown: bool, tools: str | None) -> int:
    """Print the JSON Schema of KIND, or of all kinds, for editors."""
    from kagent_render.cli import schema as command

    if kind and (output is not None or markdown):
        raise click.UsageError("KIND goes with neither --output nor --markdown, which are about all kinds")
    if output is not None and markdown:
        raise click.UsageError("--output is for schemas: redirect the page with `>`")
    if tools is not None:
        if kind or markdown or output is not None:
            raise click.UsageError("--tools goes alone: it writes pages, and no schema")
        return command.write_tool_pages(tools)
    return command.run(kind, output, markdown)


@cli.command()
@click.argument("path", type=click.Path(), default=".")
@click.argument("name", required=False)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--model-url", metavar="URL", help="Use this OpenAI-compatible server for every model.")
@click.option("--replay", is_flag=True, help="Use the replay model even though a key is set.")
@click.option("--context", metavar="C", help="Let Kubernetes tools use this kubeconfig context.")
@click.option(
    "--tool-url", "tool_urls", metavar="NAME=URL", multiple=True, help="Where the MCP server of a tool runs instead."
)
def run(
    path: str,
    name: str | None,
    port: int,
    model_url: str | None,
    replay: bool,
    context: str | None,
    tool_urls: tuple[str, ...],
) -> int:
    """Run an agent or team on this machine, with its web page; again when the specs are saved."""
    from kagent_render.cli import run as command

    return command.run(path, name, port, model_url, replay, context, tool_urls)


@cli.command()
@click.argument("url")
@click.argument("message", required=False)
@click.option("--session", metavar="ID", help="Continue this conversation.")
def chat(url: str, message: str | None, session: str | None) -> int:
    """Talk to a running agent at URL; one MESSAGE, or stdin if it is a pipe, or a conversation."""
    from kagent_render.cli import chat as command

    return command.run(url, message, session)


@cli.command()
@_paths
@_namespace
@click.option(
    "--env",
    "-e",
    "environments",
    metavar="E",
    multiple=True,
    help="Merge the overlays of environments/E; given twice, compare the second environment with the first.",
)
@click.option("--output", "-o", metavar="DIR", type=click.Path(), help="Compare with the manifests in DIR.")
@click.option("--rev", "revision", metavar="GITREV", help="Compare with what PATHS compiled to at a Git revision.")
@click.option("--live", is_flag=True, help="Compare with the cluster, by a server-side dry run of kubectl.")
@_context
@click.option(
    "--field-manager",
    "manager",
    metavar="M",
    help="Compare as if M applied; default: whoever applied an object before.",
)
@click.option("--format", "format_", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
@_templates
def diff(
    paths: tuple[str, ...],
    namespace: str | None,
    environments: tuple[str, ...],
    output: str | None,
    revision: str | None,
    live: bool,
    context: str | None,
    manager: str | None,
    format_: str,
    templates: str | None,
) -> int:
    """Show what a change of the specs means, then what it changes."""
    from kagent_render.cli import diff as command

    other = [output is not None, revision is not None, live].count(True)
    if len(environments) > 2 or other + (len(environments) == 2) != 1:
        raise click.UsageError(
            "diff needs what to compare with: either --output DIR or --rev GITREV or --live, or --env twice"
        )
    _check_context(live, context or manager)
    if len(environments) == 2:
        pair = (environments[0], environments[1])
        return command.run_environments(paths or (".",), namespace, pair, format_, templates)
    environment = environments[0] if environments else None
    return command.run(
        paths or (".",), namespace, environment, output, revision, format_, live, context, manager, templates
    )


@cli.command()
@_paths
@_namespace
@_environment
@_context
@click.option(
    "--field-manager",
    "manager",
    metavar="M",
    help="Compare as if M applied; default: whoever applied an object before.",
)
@click.option("--format", "format_", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@_templates
def drift(
    paths: tuple[str, ...],
    namespace: str | None,
    environment: str | None,
    context: str | None,
    manager: str | None,
    format_: str,
    templates: str | None,
) -> int:
    """Report where a cluster differs from the specs, and who changed it."""
    from kagent_render.cli import drift as command

    return command.run(paths or (".",), namespace, environment, context, manager, format_, templates)


@cli.command()
@click.argument("provider", type=click.Choice(["github", "gitlab"]))
@click.option("--path", metavar="DIR", default=".", show_default=True, help="The folder of the specs.")
@click.option("--branch", metavar="B", default="main", show_default=True, help="The branch that is merged to.")
@click.option("--env", "-e", "environments", metavar="E", multiple=True, required=True, help="Repeatable.")
def ci(provider: str, path: str, branch: str, environments: tuple[str, ...]) -> int:
    """Print a workflow that checks specs, and comments on pull requests what they change."""
    from kagent_render.cli import ci as command

    return command.run(provider, path, branch, environments)


@cli.command()
@click.argument("folder", type=click.Path(), default=".")
@click.option("--from", "source", metavar="E", required=True, help="The environment whose versions are taken.")
@click.option("--to", "target", metavar="E", required=True, help="The environment that gets them.")
@click.option("--agent", "agents", metavar="NAME", multiple=True, help="Only prompts of this agent; repeatable.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if there is something to promote.")
def promote(folder: str, source: str, target: str, agents: tuple[str, ...], check: bool) -> int:
    """Give an environment the images and prompts of another one."""
    from kagent_render.cli import promote as command

    return command.run(folder, source, target, frozenset(agents), check)


@cli.command()
@click.argument("kind", type=click.Choice(["agents", "teams", "tools", "models"]))
@_paths
@_namespace
@_environment
@click.option("--output", "-o", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--live", is_flag=True, help="Add how they do in the cluster, as kubectl sees it.")
@_context
def get(
    kind: str,
    paths: tuple[str, ...],
    namespace: str | None,
    environment: str | None,
    output: str,
    live: bool,
    context: str | None,
) -> int:
    """List the agents, teams, tools or models of the specs."""
    from kagent_render.cli import get as command

    if live and kind not in ("agents", "teams"):
        raise click.UsageError(f"--live is for agents and teams: {kind} do not run")
    _check_context(live, context)
    return command.run(kind, paths or (".",), namespace, environment, output, live, context)


@cli.command()
@click.argument("kind")
@click.argument("name")
@_paths
@_namespace
@_environment
@click.option("--live", is_flag=True, help="Add how it does in the cluster, as kubectl sees it.")
@_context
def describe(
    kind: str,
    name: str,
    paths: tuple[str, ...],
    namespace: str | None,
    environment: str | None,
    live: bool,
    context: str | None,
) -> int:
    """Describe an agent, team, tool or model: what it is and what it may do."""
    from kagent_render.cli import describe as command

    _check_context(live, context)
    return command.run(kind, name, paths or (".",), namespace, environment, live, context)


@cli.command()
@_paths
@_namespace
@_environment
@click.option(
    "--format", "format_", type=click.Choice(["mermaid", "dot", "svg", "html"]), default="mermaid", show_default=True
)
def graph(paths: tuple[str, ...], namespace: str | None, environment: str | None, format_: str) -> int:
    """Draw which agent uses, asks and hands over to what."""
    from kagent_render.cli import graph as command

    return command.run(paths or (".",), namespace, environment, format_)


@cli.command()
@_paths
@_namespace
@_environment
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--lock", "is_lock", is_flag=True, help="Write their digests to images.lock, with crane or skopeo.")
@_templates
def images(
    paths: tuple[str, ...],
    namespace: str | None,
    environment: str | None,
    output: str,
    is_lock: bool,
    templates: str | None,
) -> int:
    """List every image that the manifests run, as for a mirror."""
    from kagent_render.cli import images as command

    return command.run(paths or (".",), namespace, environment, output, is_lock, templates)


@cli.command()
@_paths
@_namespace
@_environment
@click.option(
    "--tool-url", "servers", metavar="NAME=URL", multiple=True, help="Where a server is reached from here; repeatable."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a server does not say what is locked.")
def lock(
    paths: tuple[str, ...], namespace: str | None, environment: str | None, servers: tuple[str, ...], check: bool
) -> int:
    """Ask the MCP servers for their tools, and write what they say to tools.lock. Starts those of transport stdio."""
    from kagent_render.cli import lock as command

    return command.run(paths or (".",), namespace, environment, servers, check)


@cli.command()
@click.argument("name", required=False)
def templates(name: str | None) -> int:
    """List the shipped templates, or print NAME to start one of your own for --templates."""
    from kagent_render.cli import templates as command

    return command.run(name)


class _Sources(click.Group):
    """`import PATH…` is `import kagent PATH…`, as it was before there were other sources."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put in the source that is meant when none is named."""
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else ["kagent", *args])


_partial = click.option("--partial", "is_partial", is_flag=True, help="Write what can be imported; the rest cannot.")
_report_format = click.option("--format", "format_", type=_FORMATS, help="Form of the diagnostics on stderr.")
_import_folder = click.option(
    "--output", "-o", metavar="DIR", type=click.Path(), help="Write one file a resource instead of stdout."
)


@cli.group("import", cls=_Sources)
def import_() -> None:
    """Turn kagent's own resources, or an OpenAPI document, into specs."""


@import_.command("kagent")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@_import_folder
@_partial
@_report_format
def import_kagent(paths: tuple[str, ...], output: str | None, is_partial: bool, format_: str | None) -> int:
    """Turn kagent's own resources into specs; `-` reads stdin. `import PATH…` does the same."""
    from kagent_render.cli import import_ as command

    return command.run(paths, output, is_partial, format_)


@import_.command("openapi")
@click.argument("path", metavar="FILE", type=click.Path())
@click.option("--base-url", metavar="URL", help="Where the operations are, instead of the document's servers.")
@click.option("--operation", "operations", metavar="ID", multiple=True, help="Only this operation; repeatable.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="Only operations with this tag; repeatable.")
@click.option("--secret", metavar="NAME", help="The Secret with the credentials; default: from the title.")
@click.option("--username", metavar="USER", help="The user name of HTTP Basic authentication.")
@_import_folder
@_partial
@_report_format
def import_openapi(
    path: str,
    base_url: str | None,
    operations: tuple[str, ...],
    tags: tuple[str, ...],
    secret: str | None,
    username: str | None,
    output: str | None,
    is_partial: bool,
    format_: str | None,
) -> int:
    """Turn the operations of an OpenAPI 3.0 or 3.1 document into Tools of type http; `-` reads stdin."""
    from kagent_render.cli import import_ as command
    from kagent_render.openapi.draft import Options

    options = Options(base_url, secret, username, operations, tags)
    return command.run_openapi(path, options, output, is_partial, format_)


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
def init(folder: str) -> int:
    """Start a repository of specs in DIR."""
    from kagent_render.cli import init as command

    return command.run(folder)


@cli.group()
def flux() -> None:
    """Have Flux apply the manifests."""


@flux.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option("--repo", metavar="URL", required=True, help="Git repository of the manifests, or oci:// of an artifact.")
@click.option(
    "--env", "-e", "environments", metavar="E", multiple=True, required=True, help="An environment; repeatable."
)
@click.option(
    "--path", metavar="DIR", default=".", show_default=True, help="The folder of the specs in the repository."
)
@click.option("--branch", metavar="B", default="main", show_default=True, help="The branch that is delivered.")
@click.option(
    "--depends-on", metavar="K", multiple=True, help="A Kustomization to wait for, such as KEDA's; repeatable."
)
@click.option("--name", metavar="N", default="agents", show_default=True, help="Of the source and the Kustomization.")
def scaffold(
    folder: str,
    repo: str,
    environments: tuple[str, ...],
    path: str,
    branch: str,
    depends_on: tuple[str, ...],
    name: str,
) -> int:
    """Write a source and a Kustomization for each environment, and the CI workflow that renders, to DIR."""
    from kagent_render.cli import flux as command
    from kagent_render.gitops.flux import Delivery

    return command.run(folder, Delivery(name, repo, branch, path, environments, depends_on))


@cli.command()
def krm() -> int:
    """Be a KRM function, such as a generator of kustomize: a ResourceList on stdin, one with the objects on stdout."""
    from kagent_render.cli import krm as command

    return command.run()


@cli.group()
def argocd() -> None:
    """Be Argo CD's config management plugin, or print what installs it."""


@argocd.command()
@_paths
@click.option("--allow-empty", is_flag=True, help="Nothing to deploy is no error: Argo CD then deletes what there is.")
def generate(paths: tuple[str, ...], allow_empty: bool) -> int:
    """Print the objects of an Application, as its parameters say."""
    from kagent_render.cli import argocd as command

    return command.generate(paths, allow_empty)


@argocd.command()
@click.argument("path", type=click.Path(), default=".")
def parameters(path: str) -> int:
    """Announce the parameters that an Application may have."""
    from kagent_render.cli import argocd as command

    return command.parameters(path)


@argocd.command()
@click.argument("what", type=click.Choice(["plugin", "kustomize", "helm", "application", "applicationset"]))
@click.option("--image", metavar="I", help="The plugin's image, in kustomize and helm; best with its digest.")
@click.option("--repo", metavar="URL", default="https://git.example.com/agents.git", help="The repository of specs.")
@click.option("--path", metavar="DIR", default=".", show_default=True, help="The folder of the specs in it.")
@click.option("--revision", metavar="REV", default="main", show_default=True, help="Its branch, tag or commit.")
@click.option("--env", "-e", "environments", metavar="E", multiple=True, help="An environment; repeatable.")
@click.option("--namespace", "-n", metavar="N", default="ai-agents", show_default=True, help="Where to deploy.")
@click.option("--name", metavar="N", default="agents", show_default=True, help="The Application, or its prefix.")
def plugin(
    what: str,
    image: str | None,
    repo: str,
    path: str,
    revision: str,
    environments: tuple[str, ...],
    namespace: str,
    name: str,
) -> int:
    """Print plugin.yaml, the repo server's sidecar as kustomize patch or helm values, or an Application(Set)."""
    from kagent_render.cli import argocd as command
    from kagent_render.gitops.argocd_objects import IMAGE, Source

    if what == "applicationset" and not environments:
        raise click.UsageError("an ApplicationSet needs the environments: --env dev --env prod")
    return command.plugin(what, image or IMAGE, Source(repo, path, revision, environments, namespace, name))


def _check_context(live: bool, given: str | None) -> None:
    if given is not None and not live:
        raise click.UsageError("--context and --field-manager go with --live")
