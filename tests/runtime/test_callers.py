"""Callers that are no people: agents that ask agents, Dapr's sidecar, holders of a certificate."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx
import trustme

from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES
from tests.runtime.process import Runtime, runtime_config
from tests.runtime.test_agent_tools import CASE, _asking, _desk, _result

ANN = "canary-ann-0123456789abcdef"
FORMER = "canary-former-0123456789abcdef"
AGENTS = "canary-agents-0123456789abcdef"
BEARER = ("--management-port", "0")


def _file(path: Path, *lines: str) -> dict[str, str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": str(path)}


def _asking_desk(folder: Path, url: str, *lines: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The desk's config, and the settings of a runtime whose own tokens are these."""
    config, settings = _desk(url), _file(folder / "tokens", *lines)
    for item in config["component"]["config"]["workbench"][0]["config"]["tools"]:
        if item["name"] == "ask-expert":
            item["token_file"] = settings["KAGENT_AUTH_TOKENS_FILE"]
    return config, settings


def test_agents_show_each_other_their_token(tmp_path: Path) -> None:
    """The one named `agents`; of several the one that the other side has; what comes of it is the agents' session."""
    there = _file(tmp_path / "there", f"ann:{ANN}", f"agents:{AGENTS}")
    with ModelServer(lambda _: {"text": f"It is 42, not {AGENTS}."}) as knowing, ModelServer(_asking) as asking:
        more = ("--model-base-url", knowing.base_url, *BEARER)
        with Runtime(runtime_config(CASE, "expert"), tmp_path / "expert", *more, **there) as expert:
            lines = (f"ann:{ANN}", f"agents:{FORMER}", f"agents:{AGENTS}")
            config, here = _asking_desk(tmp_path / "own", expert.url, *lines)
            flags = ("--model-base-url", asking.base_url, *BEARER)
            with Runtime(config, tmp_path / "desk", *flags, **here) as desk:
                desk.client.headers["Authorization"] = f"Bearer {ANN}"
                result = _result(desk.ask(desk.new_session(), "ask the expert"))
                assert (result["content"], result["isError"]) == ("It is 42, not [redacted].", False)
                _file(tmp_path / "own" / "tokens", f"ann:{ANN}", f"agents:{FORMER}")
                refused = _result(desk.ask(desk.new_session(), "ask the expert"))
                assert (refused["isError"], "HTTP 401" in refused["content"]) == (True, True)
                assert "canary" not in desk.stderr
            owners = {}
            for name, token in (("agents", AGENTS), ("ann", ANN)):
                answer = expert.client.get("/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
                owners[name] = len(answer.json()["sessions"])
            assert owners == {"agents": 1, "ann": 0}
            assert "canary" not in expert.stderr


def test_an_agent_elsewhere_gets_no_token(tmp_path: Path) -> None:
    """What is good here is nobody else's business."""
    compiled = runtime_config(EXAMPLES.parent / "tests/cases/build/authentication-oidc/input", "desk")
    tools = compiled["component"]["config"]["workbench"][0]["config"]["tools"]
    files = {item["name"]: item.get("token_file") for item in tools}
    assert files == {"ask-expert": "/etc/kagent-auth/tokens", "ask-stranger": None}


def test_daprs_sidecar_needs_its_token_only(tmp_path: Path) -> None:
    """Without one shared with it, nothing is taken; its sessions are nobody else's."""
    event = {"specversion": "1.0", "id": "1", "source": "tests", "type": "t", "data": "hello"}
    settings = _file(tmp_path / "tokens", f"ann:{ANN}", f"root:{AGENTS}") | {"KAGENT_AUTH_ADMINS": "root"}
    config = runtime_config(EXAMPLES / "quickstart")

    def deliver(runtime: Runtime, **headers: str) -> int:
        told = {"Content-Type": "application/cloudevents+json"} | headers
        return runtime.client.post("/dapr/events", json=event, headers=told).status_code

    with ModelServer(lambda _: {"text": "Done."}) as model:
        flags = ("--cluster", "sample", "--model-base-url", model.base_url, *BEARER)
        settings |= {"KAGENT_DAPR_EVENTS": "true"}
        with Runtime(config, tmp_path / "one", *flags, **settings) as runtime:
            assert deliver(runtime) == 401
        with Runtime(config, tmp_path / "two", *flags, **settings, APP_API_TOKEN=FORMER) as runtime:
            found = [deliver(runtime), deliver(runtime, **{"dapr-api-token": "wrong"})]
            found.append(deliver(runtime, **{"dapr-api-token": FORMER}))
            assert found == [403, 403, 200]
            seen = []
            for token in (ANN, AGENTS):
                answer = runtime.client.get("/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
                seen.append(len(answer.json()["sessions"]))
            assert seen == [0, 1]


def _issued(authority: trustme.CA, folder: Path) -> Path:
    """The files of a certificate, as a pod has them: the name of its Service is who it is."""
    folder.mkdir()
    leaf = authority.issue_cert("127.0.0.1", "desk.front.svc")
    (folder / "tls.crt").write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    (folder / "tls.key").write_bytes(leaf.private_key_pem.bytes())
    (folder / "ca.crt").write_bytes(authority.cert_pem.bytes())
    return folder


def _trusting(authority: trustme.CA, name: str) -> ssl.SSLContext:
    made = ssl.create_default_context()
    authority.configure_trust(made)
    authority.issue_cert(name).configure_cert(made)
    return made


def test_agents_show_each_other_their_certificate(tmp_path: Path) -> None:
    """Mutual TLS between two pods; one with a certificate of another issuer is neither let in nor believed."""
    authority, other = trustme.CA(), trustme.CA()
    with ModelServer(lambda _: {"text": "It is 42."}) as knowing, ModelServer(_asking) as asking:

        def pod(config: dict[str, Any], name: str, model: ModelServer, issuer: trustme.CA) -> Runtime:
            files = str(_issued(issuer, tmp_path / f"{name}-tls"))
            flags = ("--model-base-url", model.base_url, "--tls-folder", files, "--tls-clients", "required", *BEARER)
            made = Runtime(config, tmp_path / name, *flags, KAGENT_AUTH="certificate", KAGENT_TLS_FOLDER=files)
            made.verify = _trusting(issuer, "owner.example")
            return made

        found = {}
        with pod(runtime_config(CASE, "expert"), "expert", knowing, authority) as expert:
            for name, issuer in (("ours", authority), ("theirs", other)):
                with pod(_desk(expert.url), name, asking, issuer) as desk:
                    result = _result(desk.ask(desk.new_session(), "ask the expert"))
                found[name] = (result["content"], result["isError"])
        assert found == {"ours": ("It is 42.", False), "theirs": ("the agent cannot be reached: ConnectError", True)}
        assert len(knowing.requests) == 1


def test_a_certificate_says_who_calls(tmp_path: Path) -> None:
    """With mutual TLS alone; and no header can say it instead."""
    authority = trustme.CA()
    folder = _issued(authority, tmp_path / "tls")

    config = runtime_config(EXAMPLES / "quickstart")
    flags = ("--cluster", "sample", "--model", "replay", "--tls-folder", str(folder), "--tls-clients", "required")
    runtime = Runtime(config, tmp_path / "state", *flags, "--management-port", "0", KAGENT_AUTH="certificate")
    runtime.verify = _trusting(authority, "ann.example")
    with runtime:
        session = runtime.new_session()
        seen = {}
        for name in ("ann.example", "bob.example"):
            with httpx.Client(base_url=runtime.url, verify=_trusting(authority, name)) as client:
                forged = {"X-Forwarded-Client-Cert": "ann.example", "Authorization": f"Bearer {ANN}"}
                seen[name] = client.get(f"/api/v1/sessions/{session}", headers=forged).status_code
        assert seen == {"ann.example": 200, "bob.example": 404}
