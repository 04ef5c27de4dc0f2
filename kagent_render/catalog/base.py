"""The neutral records that tools, models and teams are described with, before any Kubernetes object exists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from kagent_render.catalog.container_resources import Resources
from kagent_render.diagnostics import Span

Component = dict[str, Any]
# Not below /etc/kagent: that is a read-only ConfigMap, in which no mount point can be made.
TLS_FOLDER = "/etc/kagent-tls"


def component(provider: str, component_type: str, config: dict[str, Any]) -> Component:
    """An AutoGen component: `provider` is the class that loads it (autogen_core `ComponentModel`)."""
    return {"provider": provider, "component_type": component_type, "version": 1, "config": config}


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """One permission: a verb on a resource in a namespace. Namespace "" is the workload's own, "*" is all."""

    namespace: str
    group: str
    resource: str
    verb: str


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Something the workload calls. `host` as written in the URL; `is_private`: it may be on a private network.

    `pods` are the labels of the pods behind a Service, where they are known.
    """

    host: str
    port: int
    scheme: str
    is_private: bool = False
    pods: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Variable:
    """An environment variable: a value, or a key of a Secret or ConfigMap that the kubelet reads."""

    name: str
    value: str = ""
    secret: str = ""
    config_map: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """A folder in the container. One of `secret`, `config_map`, `claim` and `size_limit` (an emptyDir) is set.

    `items` are keys with their file names; none: all keys. `is_issued` marks a Secret that a controller of the
    cluster writes from a rendered object, such as a certificate: nobody has to provide it.
    """

    name: str
    path: str
    secret: str = ""
    config_map: str = ""
    claim: str = ""
    size_limit: str = ""
    items: tuple[tuple[str, str], ...] = ()
    is_read_only: bool = True
    is_issued: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Caller:
    """Who may call a container port: the pods with these labels (none: all) of a namespace."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()
    port: int = 8080


@dataclass(frozen=True, slots=True, order=True)
class ContainerPort:
    """A named port of the container, besides `http`."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a model, a tool or a feature of the Platform adds to the pod and to its network."""

    variables: frozenset[Variable] = frozenset()
    mounts: frozenset[Mount] = frozenset()
    endpoints: frozenset[Endpoint] = frozenset()
    callers: frozenset[Caller] = frozenset()
    ports: frozenset[ContainerPort] = frozenset()
    pod_annotations: frozenset[tuple[str, str]] = frozenset()
    pod_labels: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: Contribution) -> Contribution:
        """Both together."""
        return Contribution(**{f.name: getattr(self, f.name) | getattr(other, f.name) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class ServerContainer:
    """The container of a tool's server: beside each agent that uses the tool, or in a Deployment of its own.

    `name` is the tool's; `folders` are what it may write to, `endpoints` whom it may call.
    """

    name: str
    image: str
    is_sidecar: bool
    command: tuple[str, ...]
    args: tuple[str, ...]
    port: int
    path: str
    variables: tuple[Variable, ...]
    folders: tuple[str, ...]
    endpoints: frozenset[Endpoint]
    resources: Resources
    replicas: int

    def url_at(self, host: str) -> str:
        """Where it answers on a host."""
        return f"http://{host}:{self.port}{self.path}"

    def is_same(self, other: ServerContainer) -> bool:
        """Whether one container could serve the tools of both."""
        return replace(self, name="", path="") == replace(other, name="", path="")


@dataclass(frozen=True, slots=True)
class LoweredTool:
    """What granting one tool means: its config for the runtime, its permissions, what it needs.

    `offers` are the names under which the model calls it, where they are not just its own; `modules` are Python
    modules that the runtime imports for it, `files` the names and texts of those that come with it. A tool that can
    only read has the effect `reads`, one that may write `changes`; `calls` is for those whose other side decides that.
    Of one that is not approved by default a person has to approve every call, unless the grant says otherwise.
    `token_permissions` are what its token has to be allowed, in the words of whoever issues it.
    """

    name: str
    type: str
    config: dict[str, Any]
    access: frozenset[AccessRule] = frozenset()
    needs_kubernetes_api: bool = False
    needs: Contribution = Contribution()
    offers: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()
    files: frozenset[tuple[str, str]] = frozenset()
    effect: Literal["reads", "changes", "calls"] = "calls"
    is_approved_by_default: bool = True
    token_permissions: tuple[str, ...] = ()
    server: ServerContainer | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A defect found by a catalog entry: it knows the place in the spec, not the file.

    `span` is the place of one in another file, which the spec only names.
    """

    code: str
    message: str
    location: tuple[int | str, ...] = ()
    help: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a team: `id` is its AutoGen name; `handoffs` are the ids it may hand over to."""

    id: str
    name: str
    component: Component
    is_agent: bool = True
    handoffs: tuple[str, ...] = ()
    models: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """An edge of a GraphFlow between two members, by their names in the spec."""

    start: str
    end: str
    when: str | None = None
    join: str = "all"
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """What a team pattern needs to lower a team."""

    id: str
    description: str
    members: tuple[Member, ...]
    max_turns: int
    termination: Component | None
    selector_prompt: str | None = None
    selector_model: Component | None = None
    allow_repeated_speaker: bool = False
    max_selector_attempts: int = 3
    start: str | None = None
    edges: tuple[GraphEdge, ...] | None = None
    orchestrator_model: Component | None = None
    max_stalls: int = 3
    final_answer_prompt: str | None = None
    problems: list[Problem] = field(default_factory=list, compare=False)

    @property
    def member_ids(self) -> list[str]:
        """The AutoGen names of the members, in order."""
        return [member.id for member in self.members]

    def shared_config(self) -> dict[str, Any]:
        """The config keys that every pattern has."""
        config: dict[str, Any] = {
            "name": self.id,
            "description": self.description,
            "participants": [member.component for member in self.members],
        }
        if self.termination is not None:
            config["termination_condition"] = self.termination
        return config | {"max_turns": self.max_turns}


def agents_of(members: Iterable[Member]) -> list[Member]:
    """The members that are agents, not nested teams."""
    return [member for member in members if member.is_agent]
