"""Commands in containers: only those that were named, in the pod that was approved, within a time and a size."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autogen_core import CancellationToken
from hypothesis import given
from hypothesis import strategies as st

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components import cluster
from kagent_runtime.components.kubernetes_arguments import ArgumentError
from kagent_runtime.components.kubernetes_commands import argv_of, matches, shown
from kagent_runtime.components.kubernetes_operations import run
from kagent_runtime.components.kubernetes_streams import MAX_BYTES
from kagent_runtime.components.kubernetes_tools import KubernetesTools
from kagent_runtime.model import KubernetesToolsConfig
from tests.edge.certificate import loopback_certificate
from tests.edge.kubernetes_api import JSON
from tests.edge.kubernetes_exec import ExecApi, Step
from tests.runtime.benches import compiled
from tests.runtime.surroundings import SilentServer

COMMANDS = (
    '[["nginx", "-T"], ["df", "*"], ["cat", "/etc/nginx/*"], ["ls", "-l", ...], ["slow"], ["yes"], ["echo", "*"]]'
)
SPEC = f"""
type: kubernetes
description: Look into the containers of the shop
kubernetes: {{operation: exec, namespaces: [shop], commands: {COMMANDS.replace("...", '"..."')}}}
"""
ROLE: JSON = {
    "kind": "Role",
    "metadata": {"namespace": "shop"},
    "rules": [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]},
    ],
}
RUNNING = {"running": {"startedAt": "2026-11-23T10:00:00Z"}}


def pod(name: str, *containers: str, uid: str = "1", **state: Any) -> JSON:
    """A pod of the shop; its containers run, unless `state` says otherwise."""
    spec = {"containers": [{"name": one, "image": f"{one}:1"} for one in containers]}
    statuses = [{"name": one, "state": state or RUNNING} for one in containers]
    metadata = {"name": name, "namespace": "shop", "uid": uid}
    status = {"phase": "Running", "containerStatuses": statuses}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


PODS = [
    pod("web", "nginx"),
    pod("two", "app", "proxy"),
    pod("crashed", "app", waiting={"reason": "CrashLoopBackOff"}),
]


def programs(argv: list[str]) -> Iterator[Step]:
    """What the commands do."""
    last = argv[-1].encode()
    steps: dict[str, list[Step]] = {
        "nginx": [("out", b"server { listen 80; }\n"), ("err", b"syntax is ok\n"), ("exit", 0)],
        "df": [("err", b"df: " + last + b": No such file\n"), ("exit", 3)],
        "cat": [("fail", 'exec: "cat": executable file not found in $PATH')],
        "echo": [("out", last[:2]), ("out", last[2:] + b"\x1b[31m\x00\n"), ("exit", 0)],
        "slow": [("out", b"begun\n"), *[("sleep", 0.05)] * 600],
        "ls": [("half", b"never whole"), ("sleep", 30)],
    }
    return iter(steps[argv[0]]) if argv[0] in steps else itertools.repeat(("out", b"y\n" * 4096))


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ExecApi]:
    with ExecApi(copy.deepcopy(PODS), programs, roles=[ROLE]) as server:
        _connect(server.origin)
        yield server
        cluster._client().rest_client.pool_manager.clear()


def _connect(origin: str) -> None:
    cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", origin
    cluster.CONNECTION.namespace = "home"
    cluster._client.cache_clear()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> JSON:
    """The workbench as the compiler writes it."""
    runtime, _ = compiled(tmp_path_factory.mktemp("exec"), {"look": SPEC})
    (component,) = runtime["component"]["config"]["workbench"]
    found: JSON = component["config"]
    return found


def bench(config: JSON, seconds: float = 5) -> KubernetesTools:
    """The workbench with less time for a call."""
    return KubernetesTools(KubernetesToolsConfig.model_validate(config | {"timeout_seconds": seconds}))


async def call(tools: KubernetesTools, command: str, name: str = "web", **more: str) -> tuple[str, bool]:
    """What a call answers, and whether as an error."""
    result = await tools.call_tool("look", {"pod": name, "command": command, **more})
    return result.to_text(), bool(result.is_error)


async def test_both_streams_and_the_exit_code_are_told(api: ExecApi, config: JSON) -> None:
    """And no shell was asked to read the command."""
    text, is_error = await call(bench(config), "nginx '-T'")
    assert (text, is_error) == ("exit code 0\nstderr:\nsyntax is ok\nstdout:\nserver { listen 80; }", False)
    assert api.runs == [("web", "nginx", ["nginx", "-T"])]
    text, is_error = await call(bench(config), 'df "/var lib"')
    assert (text, is_error) == ("exit code 3\nstderr:\ndf: /var lib: No such file", False)
    text, is_error = await call(bench(config), "echo 'aé → $HOME *'")
    assert (text, is_error) == ("exit code 0\nstdout:\naé → $HOME *[31m", False)


async def test_a_program_that_is_not_there_is_an_error(api: ExecApi, config: JSON) -> None:
    """In the words of the API server."""
    text, is_error = await call(bench(config), "cat /etc/nginx/nginx.conf")
    assert is_error
    assert text == 'the command failed: exec: "cat": executable file not found in $PATH, no output'


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("cat /etc/shadow", "is not among the commands that may be run"),
        ("cat /etc/nginx/../shadow", "is not among"),
        ("cat /etc/nginx/..", "is not among"),
        ("cat /etc/nginx/a /etc/shadow", "is not among"),
        ("cat '/etc/nginx/a\n'", "is not among"),
        ("df --output=/x", "is not among"),
        ("df / | sh", "is not among"),
        ("nginx", "is not among"),
        ("/usr/sbin/nginx -T", "is not among"),
        ("sh -c 'nginx -T'", "is not among"),
        ("nginx '-T", "cannot be split into arguments"),
        ("  ", "names no program"),
        ("df \x00", "names no program"),
        ("df " + "x" * 5000, "longer than 4,096"),
    ],
)
async def test_nothing_else_is_run(api: ExecApi, config: JSON, command: str, message: str) -> None:
    """Not even asked about: no request is sent, and no person disturbed."""
    text, is_error = await call(bench(config), command)
    assert (is_error, message in text) == (True, True), text
    assert await bench(config).preview("look", {"pod": "web", "command": command}, None) == (text, True)
    assert api.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pod": "two"}, "`container` must name one of those of pods/two: app, proxy"),
        ({"pod": "web", "container": "sidecar"}, "must name one of those of pods/web: nginx"),
        ({"pod": "crashed"}, "the container `app` of pods/crashed does not run: waiting"),
        ({"pod": "gone"}, '404: pods "gone" not found'),
        ({"pod": "web/../two"}, "is not a name"),
        ({"pod": "web", "namespace": "kube-system"}, "namespace `kube-system` is not granted"),
    ],
)
async def test_there_has_to_be_a_container_that_runs(
    api: ExecApi, config: JSON, arguments: dict[str, str], message: str
) -> None:
    """Before anybody is asked."""
    text, is_error = await bench(config).preview("look", {"command": "nginx -T", **arguments}, None)
    assert (is_error, message in (text or "")) == (True, True), text
    assert api.runs == []


async def test_the_preview_shows_exactly_what_is_run(api: ExecApi, config: JSON) -> None:
    """With what cannot be seen, or turns the direction of a line, escaped."""
    command = "echo 'a\u202eb\u200bc\x85 d'"
    text, is_error = await bench(config).preview("look", {"pod": "two", "container": "proxy", "command": command}, None)
    assert not is_error
    assert (text or "").splitlines() == [
        "run a command in pods/two in namespace shop",
        'container: "proxy"',
        'image: "proxy:1"',
        "pod uid: 1",
        'command: ["echo", "a\\u202eb\\u200bc\\u0085 d"]',
    ]
    assert api.runs == []


async def test_another_pod_of_the_same_name_is_not_the_one_approved(api: ExecApi, config: JSON) -> None:
    """Its uid is in what was approved."""
    tools = bench(config)
    seen, _ = await tools.preview("look", {"pod": "web", "command": "nginx -T"}, None)
    approved = APPROVED_PREVIEW.set(seen)
    try:
        assert (await call(tools, "nginx -T"))[0].startswith("exit code 0")
        api._objects[0] = pod("web", "nginx", uid="2")
        text, is_error = await call(tools, "nginx -T")
    finally:
        APPROVED_PREVIEW.reset(approved)
    assert is_error
    assert text.startswith("not done: the cluster has changed since this was approved")
    assert "pod uid: 2" in text
    assert len(api.runs) == 1


async def test_a_command_that_does_not_end_is_left(api: ExecApi, config: JSON) -> None:
    """At the end of its time, with what it has written; the connection is closed."""
    started = time.monotonic()
    text, is_error = await call(bench(config, seconds=1), "slow")
    assert is_error
    assert text.startswith("no end within 0.")
    assert "it may still" not in text
    assert text.endswith("the command may still be running in the container\nstdout:\nbegun")
    assert time.monotonic() - started < 2
    await _until(lambda: api.ended == ["gone"])


async def test_half_a_frame_does_not_hold_it(api: ExecApi, config: JSON) -> None:
    """A connection that stalls in the middle of something."""
    text, is_error = await call(bench(config, seconds=1), "ls -l /tmp /var")
    assert (is_error, text.startswith("no end within")) == (True, True), text


async def test_a_cancelled_call_closes_the_connection(api: ExecApi, config: JSON) -> None:
    """At once, and not at the end of its time."""
    token = CancellationToken()
    task = asyncio.ensure_future(bench(config, 60).call_tool("look", {"pod": "web", "command": "slow"}, token))
    await _until(lambda: bool(api.runs))
    token.cancel()
    result = await task
    assert (result.to_text(), result.is_error) == ("cancelled", True)
    await _until(lambda: api.ended == ["gone"])


async def test_a_call_that_nobody_waits_for_runs_nothing(api: ExecApi, config: JSON) -> None:
    """It was cancelled while the pod was looked at."""
    (tool,) = KubernetesToolsConfig.model_validate(config).tools
    cancelled = threading.Event()
    cancelled.set()
    token = cluster.GIVEN_UP.set(cancelled)
    try:
        with pytest.raises(cluster.ClusterError, match="cancelled before the command was run"):
            run(tool, {"pod": "web", "command": "nginx -T"}, 5)
    finally:
        cluster.GIVEN_UP.reset(token)
    assert [request.resource for request in api.requests] == ["pods"]


async def test_output_without_end_is_cut(api: ExecApi, config: JSON) -> None:
    """The connection is closed after a size, and the model gets what fits."""
    text, is_error = await call(bench(config, 60), "yes")
    assert is_error
    assert text.startswith(f"more than {MAX_BYTES:,} bytes of output: the connection was closed")
    assert len(text.encode()) < 17_000
    await _until(lambda: api.ended == ["gone"])


async def test_a_connection_that_is_never_opened_is_given_up(api: ExecApi, config: JSON) -> None:
    """The handshake has a time too: a kubelet that does not answer holds nobody."""
    api.handshake = 30
    text, is_error = await call(bench(config, seconds=1), "nginx -T")
    assert (is_error, "did not open the connection within" in text) == (True, True), text


async def test_a_redirect_is_not_followed(api: ExecApi, config: JSON) -> None:
    """The token is for the API server."""
    with SilentServer() as elsewhere:
        api.redirect = elsewhere.origin.replace("http", "ws")
        text, is_error = await call(bench(config), "nginx -T")
        assert (is_error, "cannot be reached" in text) == (True, True), text
        assert not elsewhere.was_called.is_set()


@pytest.mark.parametrize("missing", ["get", "create"])
async def test_each_of_the_two_verbs_is_needed(api: ExecApi, config: JSON, missing: str) -> None:
    """`get` for the upgrade, `create` since Kubernetes 1.35."""
    role = copy.deepcopy(ROLE)
    role["rules"][1]["verbs"].remove(missing)
    api._roles = [role]
    text, is_error = await call(bench(config), "nginx -T")
    assert is_error
    assert text.startswith(f'403: pods/exec is forbidden: User "system:serviceaccount:edge" cannot {missing}')


async def test_over_tls_the_server_must_have_the_certificate(config: JSON, tmp_path: Path) -> None:
    """As for every other request to the API server."""
    loopback_certificate(tmp_path)
    files = (tmp_path / "tls.crt", tmp_path / "tls.key")
    with ExecApi(copy.deepcopy(PODS), programs, tls=files) as server:
        _connect(server.origin)
        settings = cluster._client().configuration
        settings.ssl_ca_cert = str(tmp_path / "tls.crt")
        cluster._client().rest_client = type(cluster._client().rest_client)(settings)
        assert (await call(bench(config), "nginx -T"))[0].startswith("exit code 0")
        settings.ssl_ca_cert = None
        text, is_error = await call(bench(config), "nginx -T")
        assert (is_error, len(server.runs)) == (True, 1), text
        cluster._client().rest_client.pool_manager.clear()


async def _until(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("pattern", "command", "is_allowed"),
    [
        (["df", "*"], "df /var/lib", True),
        (["df", "*"], "df", False),
        (["df", "*"], "df / /var", False),
        (["df", "*"], "df -h", False),
        (["df", "-*"], "df -h", True),
        (["df", "-*"], "df /", False),
        (["cat", "/etc/*/nginx.conf"], "cat /etc/nginx/nginx.conf", True),
        (["cat", "/etc/*/nginx.conf"], "cat /etc/a/b/nginx.conf", False),
        (["cat", "/etc/*/nginx.conf"], "cat /etc/../nginx.conf", False),
        (["cat", "/etc/nginx*"], "cat /etc/nginx..", True),
        (["cat", "*.log"], "cat -rf.log", False),
        (["ls", "..."], "ls", True),
        (["ls", "..."], "ls /a /b", True),
        (["ls", "..."], "ls /a -R", False),
        (["echo", "a+b"], "echo aab", False),
    ],
)
def test_a_pattern_stands_for_these_commands(pattern: list[str], command: str, is_allowed: bool) -> None:
    """The rules that the reference tells."""
    assert matches(pattern, argv_of(command)) is is_allowed


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5), st.data())
def test_whatever_is_chosen_it_brings_in_no_option_and_no_step_up(argv: list[str], data: st.DataObject) -> None:
    """By a star or by dots, in whatever argument."""
    pattern = ["program", *data.draw(st.lists(st.sampled_from(["*", "/a/*", "x*y", "fixed"]), max_size=4))]
    pattern += ["..."] if data.draw(st.booleans()) else []
    command = ["program", *argv]
    if matches(pattern, command):
        assert not [one for one in argv if one.startswith("-") or "\n" in one or "\x00" in one]
        assert not [one for part, one in zip(pattern[1:], argv, strict=False) if part == "/a/*" and one.count("/") != 2]
        assert shown(command).isascii()


@given(st.text(max_size=200))
def test_any_text_is_a_command_or_refused_in_words(text: str) -> None:
    """Whatever a model gives; and what is shown of it has nothing in it that is not seen."""
    with contextlib.suppress(ArgumentError):
        argv = argv_of(text)
        assert argv
        assert all(32 <= ord(char) < 127 for char in shown(argv))
