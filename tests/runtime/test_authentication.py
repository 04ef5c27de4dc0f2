"""Who may do what: every kind of request, by every kind of caller, against the real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.edge.issuer import Issuer, SigningKey
from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES, ROOT
from tests.runtime.process import KEY, Runtime, runtime_config

ANN = "canary-ann-0123456789abcdef"
BOB = "canary-bob-0123456789abcdef"
ROOT_TOKEN = "canary-root-0123456789abcdef"
FORMER = "canary-former-0123456789abcdef"


def _start(folder: Path, model: ModelServer, *flags: str, **environment: str) -> Runtime:
    more = ("--cluster", "sample", "--model-base-url", model.base_url, *flags)
    return Runtime(runtime_config(EXAMPLES / "quickstart"), folder, *more, **environment)


def _tokens(folder: Path, *lines: str) -> str:
    """Replace the file at once, as the kubelet does."""
    path = folder / "tokens"
    (folder / "new").write_text("".join(f"{line}\n" for line in lines))
    os.replace(folder / "new", path)
    return str(path)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    """A model that says one thing."""
    with ModelServer(lambda _: {"text": "All is well."}) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[Runtime]:
    """A runtime with the tokens of Ann, of Bob, and of an administrator."""
    folder = tmp_path_factory.mktemp("bearer")
    file = _tokens(folder, f"ann:{ANN}", "", "# Bob's", f"bob:{BOB}", f"root:{ROOT_TOKEN}")
    settings = {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": file, "KAGENT_AUTH_ADMINS": "root, other"}
    with _start(folder / "state", model, "--management-port", "0", **settings) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def session(guarded: Runtime) -> str:
    """A session of Ann's in which something was said."""
    answer = guarded.client.post("/api/v1/sessions", json={"title": "Ann's"}, headers=_bearer(ANN))
    assert answer.status_code == 201
    id = str(answer.json()["id"])
    path, headers = f"/api/v1/sessions/{id}/messages", _bearer(ANN) | {"Accept": "text/event-stream"}
    assert "All is well." in guarded.client.post(path, json={"content": "hello"}, headers=headers).text
    return id


CALLERS: dict[str, dict[str, str]] = {
    "nobody": {},
    "wrong": _bearer("canary-wrong-0123456789abcdef"),
    "basic": {"Authorization": "Basic Y2FuYXJ5OmNhbmFyeQ=="},
    "owner": _bearer(ANN),
    "other": _bearer(BOB),
    "admin": _bearer(ROOT_TOKEN),
}
OPEN, KNOWN, OWN = "open", "known", "own"
REQUESTS: list[tuple[str, str, dict[str, Any] | None, str, int]] = [
    ("GET", "/healthz", None, OPEN, 200),
    ("GET", "/readyz", None, OPEN, 200),
    ("GET", "/", None, OPEN, 200),
    ("GET", "/static/js/app.js", None, OPEN, 200),
    ("GET", "/static/%2e%2e/%2e%2e/app.py", None, OPEN, 404),
    ("GET", "/metrics", None, KNOWN, 200),
    ("GET", "/api/v1/openapi.json", None, KNOWN, 200),
    ("GET", "/api/v1/agent", None, KNOWN, 200),
    ("GET", "/api/v1/sessions", None, KNOWN, 200),
    ("GET", "/.well-known/agent-card.json", None, OPEN, 200),
    ("GET", "/v1/models", None, KNOWN, 200),
    ("GET", "/v1/models/{name}", None, KNOWN, 200),
    ("POST", "/v1/chat/completions", {"model": "k8s-troubleshooter", "messages": []}, KNOWN, 400),
    ("POST", "/a2a", {}, KNOWN, 200),
    ("POST", "/mcp", {}, KNOWN, 400),
    ("GET", "/healthz/more", None, KNOWN, 404),
    ("POST", "/api/v1/sessions", {}, KNOWN, 201),
    ("POST", "/dapr/events", {}, KNOWN, 404),
    ("GET", "/api/v1/sessions/{id}", None, OWN, 200),
    ("GET", "/api/v1/sessions/{id}/events", None, OWN, 200),
    ("GET", "/api/v1/sessions/{id}/export", None, OWN, 200),
    ("PATCH", "/api/v1/sessions/{id}", {"title": "Ann's"}, OWN, 200),
    ("POST", "/api/v1/sessions/{id}/messages", {"content": ""}, KNOWN, 422),
    ("POST", "/api/v1/sessions/{id}/cancel", None, OWN, 409),
    ("POST", "/api/v1/sessions/{id}/stop", None, OWN, 409),
    ("POST", "/api/v1/sessions/{id}/approvals/call-1", {"decision": "approve"}, OWN, 404),
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path", "body", "door", "status"), REQUESTS, ids=lambda value: str(value)[:40])
def test_every_request_by_every_caller(
    guarded: Runtime,
    session: str,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    door: str,
    status: int,
    caller: str,
) -> None:
    """What is open is open to all; the rest needs a token; a session is its owner's, though an admin may read it."""
    answer = guarded.client.request(
        method, path.format(id=session, name="k8s-troubleshooter"), json=body, headers=CALLERS[caller]
    )
    is_known = caller in ("owner", "other", "admin")
    is_allowed = door != OWN or caller == "owner" or (caller == "admin" and method == "GET")
    expected = status if door == OPEN else 401 if not is_known else status if is_allowed else 404
    assert answer.status_code == expected, answer.text
    if expected == 401:
        assert answer.headers["www-authenticate"].startswith('Bearer realm="kagent"')
        assert answer.headers["content-type"] == "application/problem+json"
        assert "content-security-policy" in answer.headers


def test_the_table_has_every_route_of_the_api(guarded: Runtime) -> None:
    """A new route has to be put into it."""
    described = guarded.client.get("/api/v1/openapi.json", headers=_bearer(ANN)).json()["paths"]
    wanted = {(m.upper(), p.replace("{call_id}", "call-1")) for p, of in described.items() for m in of}
    tried = {(method, path) for method, path, *_ in REQUESTS}
    # What ends a session, or needs one of its own, has tests of its own below.
    assert wanted - tried == {("DELETE", "/api/v1/sessions/{id}")}


def test_sessions_are_listed_for_their_owner_and_for_an_admin(guarded: Runtime, session: str) -> None:
    """And only the owner ends them."""
    path = f"/api/v1/sessions/{session}"

    def listed(token: str) -> list[str]:
        found = guarded.client.get("/api/v1/sessions", headers=_bearer(token)).json()["sessions"]
        return [item["id"] for item in found]

    assert session in listed(ANN)
    assert session in listed(ROOT_TOKEN)
    assert session not in listed(BOB)
    for token in (BOB, ROOT_TOKEN):
        sent = guarded.client.post(f"{path}/messages", json={"content": "mine?"}, headers=_bearer(token))
        assert sent.status_code == 404
        assert guarded.client.delete(path, headers=_bearer(token)).status_code == 404
    log = guarded.client.get(f"{path}/events", headers=_bearer(ANN)).json()["events"]
    assert [item["content"] for item in log if item["type"] == "message.user"] == ["hello"]


def test_tokens_are_changed_without_a_restart(tmp_path: Path, model: ModelServer) -> None:
    """The new one works beside the former, then instead of it; what is no token changes nothing; empty locks out."""
    file = _tokens(tmp_path, f"ann:{FORMER}")
    settings = {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": file}
    with _start(tmp_path / "state", model, "--management-port", "0", **settings) as runtime:

        def statuses() -> tuple[int, int]:
            found = [runtime.client.get("/api/v1/sessions", headers=_bearer(t)) for t in (FORMER, ANN)]
            return found[0].status_code, found[1].status_code

        def until(wanted: tuple[int, int]) -> None:
            deadline = time.monotonic() + 10
            while statuses() != wanted:
                assert time.monotonic() < deadline, (statuses(), runtime.stderr)
                time.sleep(0.1)

        assert statuses() == (200, 401)
        made = runtime.client.post("/api/v1/sessions", json={}, headers=_bearer(FORMER)).json()["id"]
        _tokens(tmp_path, f"ann:{FORMER}", f"ann:{ANN}")
        until((200, 200))
        assert runtime.client.get(f"/api/v1/sessions/{made}", headers=_bearer(ANN)).status_code == 200
        _tokens(tmp_path, f"ann:{ANN}")
        until((401, 200))
        _tokens(tmp_path, "ann:short")
        time.sleep(1.2)
        assert statuses() == (401, 200)
        Path(file).unlink()
        time.sleep(1.2)
        assert statuses() == (401, 200)
        _tokens(tmp_path)
        until((401, 401))
        runtime.process.terminate()
        logged = runtime.wait_stderr()
    assert "line 1 is not NAME:TOKEN" in logged
    assert "canary" not in logged


def test_no_credential_is_ever_logged(guarded: Runtime, session: str) -> None:
    """Neither a right nor a wrong one, nor the model's."""
    guarded.client.get("/api/v1/agent", headers=_bearer("canary-wrong-0123456789abcdef"))
    assert '"message": "a request is refused"' in guarded.stderr
    for secret in (ANN, BOB, ROOT_TOKEN, "canary-wrong", KEY, "Y2FuYXJ5"):
        assert secret not in guarded.stderr


REFUSED_STARTS: list[tuple[list[str], dict[str, str], str]] = [
    (["--host", "0.0.0.0"], {}, "no authentication is set, and 0.0.0.0 is not the loopback address"),
    ([], {"KAGENT_AUTH": "basic"}, "KAGENT_AUTH is `basic`"),
    ([], {"KAGENT_AUTH": "bearer"}, "needs KAGENT_AUTH_TOKENS_FILE"),
    ([], {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": "/nowhere/tokens"}, "No such file"),
    ([], {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": "{folder}/empty"}, "there is no token in it"),
    ([], {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": "{folder}/short"}, "line 2 is not NAME:TOKEN"),
    ([], {"KAGENT_AUTH": "oidc"}, "needs KAGENT_OIDC_ISSUER and KAGENT_OIDC_AUDIENCE"),
    (
        [],
        {"KAGENT_AUTH": "oidc", "KAGENT_OIDC_AUDIENCE": "a", "KAGENT_OIDC_ISSUER": "http://issuer.example"},
        "KAGENT_OIDC_ISSUER must be an https:// URL",
    ),
    ([], {"KAGENT_AUTH": "certificate"}, "needs KAGENT_TLS_FOLDER"),
]


@pytest.mark.parametrize(("flags", "environment", "message"), REFUSED_STARTS, ids=[m for *_, m in REFUSED_STARTS])
def test_what_would_let_everyone_in_does_not_start(
    flags: list[str], environment: dict[str, str], message: str, tmp_path: Path
) -> None:
    """One line and exit 78, with no token in it."""
    (tmp_path / "empty").write_text("# none\n")
    (tmp_path / "short").write_text("\nann:canary\n")
    (tmp_path / "runtime.json").write_text(json.dumps(runtime_config(EXAMPLES / "quickstart")))
    command = [sys.executable, "-m", "kagent_runtime", "--config", str(tmp_path / "runtime.json"), "--port", "0"]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("KAGENT_")}
    inherited |= {"KAGENT_GPT4_CONFIG_API_KEY": KEY, "KAGENT_STATE_DIR": str(tmp_path), "KAGENT_HOST": "127.0.0.1"}
    inherited |= {name: value.format(folder=tmp_path) for name, value in environment.items()}
    done = subprocess.run(
        [*command, *flags], cwd=ROOT, env=inherited, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 78, done.stderr
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[-1]
    assert "canary" not in done.stderr


def test_a_network_without_authentication_is_served_when_it_is_said(tmp_path: Path, model: ModelServer) -> None:
    """As the manifests say it; sessions are then nobody's in particular."""
    with _start(tmp_path, model, "--host", "0.0.0.0", KAGENT_AUTH="none") as runtime:
        session = runtime.new_session()
        assert runtime.client.get(f"/api/v1/sessions/{session}").status_code == 200
        assert runtime.client.get("/metrics").status_code == 200


def test_sessions_stay_private_when_authentication_is_switched_off(tmp_path: Path, model: ModelServer) -> None:
    """Turning it off must not show everyone what was said before."""
    file = _tokens(tmp_path, f"ann:{ANN}")
    settings = {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": file}
    with _start(tmp_path / "state", model, "--management-port", "0", **settings) as runtime:
        made = runtime.client.post("/api/v1/sessions", json={}, headers=_bearer(ANN)).json()["id"]
    with _start(tmp_path / "state", model) as runtime:
        assert runtime.client.get(f"/api/v1/sessions/{made}").status_code == 404
        assert runtime.client.get("/api/v1/sessions").json()["sessions"] == []


def test_a_database_from_before_owners_is_taken_over(tmp_path: Path, model: ModelServer) -> None:
    """What is in it is nobody's in particular."""
    import sqlite3

    with _start(tmp_path, model) as runtime:
        made = runtime.new_session()
    with sqlite3.connect(tmp_path / "sessions.db") as database:
        database.execute("DROP INDEX ix_sessions_owner")
        for table, column in (
            ("sessions", "owner"),
            ("runs", "caller"),
            ("approvals", "subject"),
            ("approvals", "preview"),
        ):
            database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        database.execute("DROP TABLE tasks")
        database.execute("UPDATE alembic_version SET version_num = '0002'")
    database.close()
    with _start(tmp_path, model) as runtime:
        assert [item["id"] for item in runtime.client.get("/api/v1/sessions").json()["sessions"]] == [made]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with an RSA and an EC key, and a short one that nobody should trust."""
    keys = [SigningKey("one"), SigningKey("two", "ES256"), SigningKey("short", bits=1024)]
    with Issuer(*keys) as server:
        yield server


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory, model: ModelServer, issuer: Issuer) -> Iterator[Runtime]:
    """A runtime that trusts the issuer, for the members of two groups; `ops` may read everything."""
    folder = tmp_path_factory.mktemp("oidc")
    file = _tokens(folder, f"agents:{BOB}")
    settings = issuer.environment | {
        "KAGENT_OIDC_GROUPS_CLAIM": "realm_access.roles",
        "KAGENT_OIDC_ALLOWED_GROUPS": "sre,dev",
        "KAGENT_OIDC_ADMIN_GROUPS": "ops",
        "KAGENT_AUTH_TOKENS_FILE": file,
    }
    with _start(folder / "state", model, "--management-port", "0", **settings) as runtime:
        yield runtime


def _roles(*names: str) -> dict[str, Any]:
    return {"realm_access": {"roles": list(names)}}


def _identities(issuer: Issuer) -> dict[str, tuple[str, int, str]]:
    now, sre = int(time.time()), _roles("sre")
    _, curve, short = issuer.keys
    foreign = SigningKey("one")
    return {
        "good": (issuer.token(**sre), 200, ""),
        "good, by the other key": (issuer.token(key=curve, **sre), 200, ""),
        "good, an access token": (issuer.token(headers={"typ": "at+jwt"}, **sre), 200, ""),
        "good, two audiences": (issuer.token(aud=["agents", "other"], **sre), 200, ""),
        "good, within the skew": (issuer.token(exp=now - 10, **sre), 200, ""),
        "good, a static token": (BOB, 200, ""),
        "expired": (issuer.token(exp=now - 120, **sre), 401, "expired"),
        "not yet valid": (issuer.token(nbf=now + 300, **sre), 401, "not valid yet"),
        "wrong audience": (issuer.token(aud="other", **sre), 401, "another audience"),
        "wrong issuer": (issuer.token(iss="https://evil.example", **sre), 401, "another issuer"),
        "no audience": (issuer.token(aud=None, **sre), 401, "lacks a required claim"),
        "no expiry": (issuer.token(exp=None, **sre), 401, "lacks a required claim"),
        "no subject": (issuer.token(sub=None, **sre), 401, "lacks a required claim"),
        "empty subject": (issuer.token(subject="", **sre), 401, "subject"),
        "algorithm none": (issuer.unsigned(**sre), 401, "algorithm"),
        "algorithm confusion": (issuer.confused(**sre), 401, "algorithm"),
        "foreign key of that id": (issuer.token(key=foreign, **sre), 401, "signature"),
        "unknown key": (issuer.token(headers={"kid": "nine"}, **sre), 401, "not signed with a key"),
        "key of another algorithm": (issuer.token(headers={"kid": "two"}, **sre), 401, "not signed with a key"),
        "short key": (issuer.token(key=short, **sre), 401, "not signed with a key"),
        "a key in the header": (issuer.token(key=foreign, headers={"jwk": foreign.public}, **sre), 401, "signature"),
        "a critical extension": (issuer.token(headers={"crit": ["x"], "x": 1}, **sre), 401, "not known"),
        "a logout token": (issuer.token(headers={"typ": "logout+jwt"}, **sre), 401, "kind"),
        "too long": (issuer.token(padding="x" * 16_000, **sre), 401, "too long"),
        "garbage": ("a.b.c", 401, "not known"),
        "no group": (issuer.token(), 403, "in no group"),
        "another group": (issuer.token(**_roles("sales")), 403, "in no group"),
        "a group that is no list": (issuer.token(realm_access="sre"), 403, "in no group"),
    }


def test_tokens_of_an_issuer(trusting: Runtime, issuer: Issuer) -> None:
    """Each defect by its own name; and the forged ones cost the issuer at most one more request for its keys."""
    for name, (token, status, reason) in _identities(issuer).items():
        answer = trusting.client.get("/api/v1/sessions", headers=_bearer(token))
        assert answer.status_code == status, (name, answer.text)
        if status != 200:
            assert reason in answer.json()["detail"], name
            error = "insufficient_scope" if status == 403 else "invalid_token"
            assert f'error="{error}"' in answer.headers["www-authenticate"], name
        assert token not in trusting.stderr
    assert issuer.requests.count("/keys") <= 2


def test_subjects_of_an_issuer_own_their_sessions(trusting: Runtime, issuer: Issuer) -> None:
    """The same name elsewhere, as a static token's or as another subject's, is somebody else."""
    ann, eve = issuer.token("ann", **_roles("sre")), issuer.token("agents", **_roles("dev"))
    admin = issuer.token("max", **_roles("ops"))
    made = trusting.client.post("/api/v1/sessions", json={}, headers=_bearer(ann)).json()["id"]
    asked = trusting.client.post("/api/v1/sessions", json={}, headers=_bearer(BOB)).json()["id"]
    path = "/api/v1/sessions/"
    seen = {
        name: [trusting.client.get(path + id, headers=_bearer(token)).status_code for id in (made, asked)]
        for name, token in (("ann", ann), ("eve", eve), ("agents", BOB), ("admin", admin))
    }
    assert seen == {"ann": [200, 404], "eve": [404, 404], "agents": [404, 200], "admin": [200, 200]}
    assert trusting.client.delete(path + made, headers=_bearer(admin)).status_code == 404
    assert trusting.client.delete(path + made, headers=_bearer(ann)).status_code == 204


def test_keys_are_rotated_and_outages_survived(tmp_path: Path, model: ModelServer) -> None:
    """A new key is found by the first token it signed; while the issuer is away, known keys go on."""
    with Issuer() as issuer, _start(tmp_path, model, "--management-port", "0", **issuer.environment) as runtime:

        def status(token: str) -> int:
            return runtime.client.get("/api/v1/sessions", headers=_bearer(token)).status_code

        former = issuer.token()
        assert status(former) == 200
        issuer.keys = [SigningKey("new")]
        assert status(issuer.token()) == 200
        assert status(former) == 401
        issuer.is_broken = True
        assert status(issuer.token()) == 200
        before = len(issuer.requests)
        assert {status(issuer.token(headers={"kid": f"made-up-{n}"})) for n in range(30)} == {401}
        assert len(issuer.requests) - before <= 2


@pytest.mark.parametrize("fault", ["down", "another issuer"])
def test_without_the_issuers_keys_nobody_is_let_in(fault: str, tmp_path: Path, model: ModelServer) -> None:
    """503, for the token may be good; and what needs no token goes on."""
    with Issuer() as issuer:
        token, environment = issuer.token(), issuer.environment
        issuer.told_issuer = "https://other.example" if fault == "another issuer" else None
        issuer.is_broken = fault == "down"
        with _start(tmp_path, model, "--management-port", "0", **environment) as runtime:
            answer = runtime.client.get("/api/v1/sessions", headers=_bearer(token))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert runtime.client.get("/readyz").status_code == 200


def test_the_library_for_tokens_is_only_loaded_for_an_issuer() -> None:
    """Start-up time."""
    code = "import sys, kagent_runtime.auth.middleware as m; print('jwt' in sys.modules, 'cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False False"


def test_the_management_port_needs_no_token(tmp_path: Path, model: ModelServer) -> None:
    """Probes and a Prometheus; and nothing else is there."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": _tokens(tmp_path, f"ann:{ANN}")}
    with _start(tmp_path / "state", model, "--management-port", str(port), **settings):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wanted = {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/v1/agent": 404}
            assert {path: client.get(path).status_code for path in wanted} == wanted
