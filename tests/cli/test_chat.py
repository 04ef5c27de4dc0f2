"""`kagent-render chat` with a real agent: from a pipe, and on a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.harness import ROOT
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.specs import agent, compiled, team
from tests.runtime.surroundings import kubeconfig
from tests.runtime.ui.proxy import Proxy

COMMAND = [sys.executable, "-m", "kagent_render", "chat"]
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "checkout-1", "namespace": "default"}}
HELD = {"name": "kubectl-get", "arguments": {"resource": "pods"}}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def solo(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("solo")
    tools = "tools: [{name: kubectl-get, requireApproval: true}]"
    config = compiled(folder / "specs", model.base_url, agent("solo", tools))
    with KubernetesApi([POD]) as cluster:
        path = kubeconfig(folder, cluster.origin)
        with Runtime(
            config, folder / "run", "--cluster", "kubeconfig", KUBECONFIG=path, POD_NAMESPACE="default"
        ) as run:
            yield run


def chat(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """The command without a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,  # no controlling terminal to ask on
    )


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._main, child = pty.openpty()
        environment = os.environ | {"TERM": "dumb"}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=ROOT,
            stdin=child,
            stdout=child,
            stderr=child,
            env=environment,
            # Tests that a shell started in the background ignore it, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(child)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        os.close(self._main)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._main, text.encode() + b"\n")

    def wait(self, text: str, seconds: float = 15) -> str:
        """Everything that was shown up to this text, which is taken off."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self._main], [], [], 0.1)[0]:
                self.shown += re.sub(r"\x1b\[[0-9;?]*[a-z]", "", os.read(self._main, 4096).decode())
        before, _, self.shown = self.shown.partition(text)
        return before


def test_a_pipe_gets_the_answer_and_nothing_else(solo: Runtime) -> None:
    done = chat(solo.url, stdin=task(solo=[{"text": "The answer."}]) + "\n")
    assert (done.returncode, done.stdout) == (0, "The answer.\n"), done.stderr
    done = chat(solo.url + "/", task(solo=[{"text": "As an argument."}]))
    assert (done.returncode, done.stdout) == (0, "As an argument.\n"), done.stderr


def test_a_team_says_on_the_side_who_speaks(model: ModelServer, tmp_path: Path) -> None:
    """And what is done; stdout has what is said."""
    documents = (agent("first"), agent("second"), team("RoundRobin", "first", "second"))
    with Runtime(compiled(tmp_path / "specs", model.base_url, *documents), tmp_path / "run") as runtime:
        done = chat(runtime.url, task(first=[{"text": "One."}], second=[{"text": "Two."}]))
    assert (done.returncode, done.stdout) == (0, "One.\nTwo.\n")
    assert done.stderr == "first:\nsecond:\n"


def test_a_turn_that_fails_is_told_and_is_exit_1(solo: Runtime) -> None:
    done = chat(solo.url, task(solo=[{"error": 400}]))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("failed: The model call failed: model `gpt4-config`: HTTP 400")


def _waiting(runtime: Runtime) -> list[dict[str, Any]]:
    sessions = runtime.client.get("/api/v1/sessions").json()["sessions"]
    return [session for session in sessions if session["status"] == "waiting"]


def test_without_a_terminal_an_approval_is_left_to_the_page(solo: Runtime) -> None:
    """Nobody is asked, so nothing is decided here."""
    process = subprocess.Popen(
        [*COMMAND, solo.url, task(solo=[{"tool_calls": [HELD]}, {"text": "Seen."}])],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 15
    while not (found := _waiting(solo)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (session,) = found
    (asked,) = [event for event in solo.log(session["id"]) if event["type"] == "approval.requested"]
    path = f"/api/v1/sessions/{session['id']}/approvals/{asked['callId']}"
    assert solo.client.post(path, json={"decision": "approve"}).status_code == 200
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "Seen.\n")
    assert "approve it on the agent's page" in err


def test_a_conversation_on_a_terminal(solo: Runtime) -> None:
    """It remembers, asks for approvals, and says how to continue."""
    with Terminal(solo.url) as terminal:
        assert "solo: The solo" in terminal.wait("> ")
        terminal.type(task(solo=[{"tool_calls": [HELD]}, {"text": "One pod."}]))
        assert 'solo asks to call kubectl-get {"resource": "pods"}' in terminal.wait("Approve kubectl-get?")
        terminal.type("y")
        assert "kubectl-get: approve, by person" in terminal.wait("One pod.")
        terminal.wait("> ")
        terminal.type(task(solo=[{"tool_calls": [HELD]}, {"text": "Then not."}]))
        terminal.wait("Approve kubectl-get?")
        terminal.type("it is Friday")
        assert "a person denied this call: it is Friday" in terminal.wait("Then not.")
        terminal.wait("> ")
        os.write(terminal._main, b"\x04")
        terminal.wait("to continue: --session ")
        assert terminal.process.wait(10) == 0
    session = solo.client.get("/api/v1/sessions").json()["sessions"][0]["id"]
    assert len([event for event in solo.log(session) if event["type"] == "message.user"]) == 2
    done = chat(solo.url, task(solo=[{"text": "Still here."}]), "--session", session)
    assert (done.returncode, done.stdout) == (0, "Still here.\n")
    assert len([event for event in solo.log(session) if event["type"] == "message.user"]) == 3


def test_ctrl_c_cancels_the_answer_and_not_the_conversation(solo: Runtime) -> None:
    with Terminal(solo.url) as terminal:
        terminal.wait("> ")
        terminal.type(task(solo=[{"text": "word " * 400, "chunk_sleep": 0.05}]))
        terminal.wait("}]}")  # what was typed
        terminal.wait("word word word")
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait("cancelled: cancelled")
        terminal.wait("> ")
        terminal.type(task(solo=[{"text": "Here again."}]))
        terminal.wait("}]}")
        terminal.wait("Here again.")


def test_a_model_does_not_steer_the_terminal(solo: Runtime) -> None:
    """Its escape sequences are shown as what they are."""
    done = chat(solo.url, task(solo=[{"text": "a\x1b[2Jb\x07c\u009bd\ttab\nline"}]))
    assert done.stdout == "a\ufffd[2Jb\ufffdc\ufffdd\ttab\nline\n"


def test_what_cannot_be_talked_to_is_said(solo: Runtime) -> None:
    """A name is no address; nothing listens; no such conversation; nothing to say."""
    named = chat("k8s-troubleshooter", "hi")
    assert named.returncode == 2
    assert "kubectl port-forward service/k8s-troubleshooter 8080" in named.stderr
    away = chat("http://127.0.0.1:9", "hi")
    assert (away.returncode, away.stdout) == (2, "")
    assert away.stderr.startswith("error: http://127.0.0.1:9 cannot be reached: ")
    unknown = chat(solo.url, "hi", "--session", "nope")
    assert (unknown.returncode, unknown.stderr) == (2, "error: HTTP 404: there is no session `nope`\n")
    assert chat(solo.url, stdin="  \n").returncode == 2


def test_a_lost_connection_is_made_again(model: ModelServer, tmp_path: Path) -> None:
    """The run goes on by itself; what was missed is read from the log, and nothing is shown twice."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo"))
    text = "word " * 100
    with Runtime(config, tmp_path / "run") as runtime, Proxy(runtime.url, "/agent") as proxy:
        process = subprocess.Popen(
            [*COMMAND, proxy.url, task(solo=[{"text": text + "end", "chunk_sleep": 0.05}])],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.read(5) == "word "
        proxy.cut()
        time.sleep(0.5)
        proxy.mend()
        assert "word " + process.stdout.read() == text + "end\n"
        assert process.wait(10) == 0
        process.stdout.close()
