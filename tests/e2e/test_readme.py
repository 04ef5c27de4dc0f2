"""The README's first line, as a newcomer runs it: a new clone, a new virtual environment, an agent that answers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import httpx

from tests.harness import ROOT
from tests.runtime.process import read_sse
from tests.test_readme import SETUP


def _clone(folder: Path) -> Path:
    """The committed files, as a clone has them; from an archive, because a work tree may be no repository."""
    archive = folder / "clone.tar"
    subprocess.run(["git", "archive", "-o", str(archive), "HEAD"], cwd=ROOT, check=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "clone", filter="data")
    return folder / "clone"


def test_the_first_line_ends_with_an_agent_that_answers(tmp_path: Path) -> None:
    """Only the port is another: 8080 may be taken where tests run."""
    clone = _clone(tmp_path)
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("KAGENT_", "OPENAI_", "PYTHON", "VIRTUAL_"))
    }
    with (tmp_path / "output").open("w+") as output:
        process = subprocess.Popen(
            ["bash", "-c", f"{SETUP[0]} --port 0"],
            cwd=clone,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Tests that a shell started in the background ignore it, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            url = _wait_for_url(tmp_path / "output", process)
            with httpx.Client(base_url=url, timeout=60) as client:
                assert "<!doctype html>" in client.get("/").text.lower()
                session = client.post("/api/v1/sessions", json={}).json()["id"]
                path, body = f"/api/v1/sessions/{session}/messages", {"content": "What is wrong with checkout?"}
                with client.stream("POST", path, json=body, headers={"Accept": "text/event-stream"}) as answer:
                    events = list(read_sse(answer))
            assert next(e["name"] for e in events if e["type"] == "tool.call") == "kubectl-get"
            assert "no LLM" in next(e for e in reversed(events) if e["type"] == "message")["content"]
            assert events[-1]["outcome"] == "completed"
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(20)
    text = (tmp_path / "output").read_text()
    assert "Traceback" not in text
    assert "model: replay, no LLM is called" in text


def _wait_for_url(path: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        match = re.search(r"serving \S+ on (http://\S+)", path.read_text())
        if match:
            return match[1]
        assert process.poll() is None, path.read_text()
        time.sleep(0.2)
    raise AssertionError(path.read_text())
