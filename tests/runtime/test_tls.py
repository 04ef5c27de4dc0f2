"""TLS as the rendered Deployment asks for it: files in a folder, a plain port for probes, callers with certificates."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES
from tests.runtime.process import Runtime, runtime_config

NAMES = ("127.0.0.1", "k8s-troubleshooter.ai-agents.svc")


def _issue(authority: trustme.CA, folder: Path) -> trustme.LeafCert:
    """Write the files of a kubernetes.io/tls Secret that cert-manager issued, the way the kubelet swaps them."""
    leaf = authority.issue_cert(*NAMES)
    version = folder / f"..{time.monotonic_ns()}"
    version.mkdir(parents=True)
    (version / "tls.crt").write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    (version / "tls.key").write_bytes(leaf.private_key_pem.bytes())
    (version / "ca.crt").write_bytes(authority.cert_pem.bytes())
    (folder / "..new").symlink_to(version.name)
    os.replace(folder / "..new", folder / "..data")
    for name in ("tls.crt", "tls.key", "ca.crt"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    return leaf


def _trusting(authority: trustme.CA, leaf: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if leaf is not None:
        leaf.configure_cert(context)
    return context


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A model that says one thing."""
    with ModelServer(lambda _: {"text": "All is well."}) as server:
        yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _runtime(folder: Path, model: ModelServer, *flags: str) -> Runtime:
    config = runtime_config(EXAMPLES / "quickstart")
    return Runtime(
        config,
        folder / "state",
        *("--cluster", "sample", "--model-base-url", model.base_url, "--tls-folder", str(folder / "tls"), *flags),
    )


def _handshake(port: int, context: ssl.SSLContext) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped:
            wrapped.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert wrapped.recv(12) == b"HTTP/1.1 200"
            certificate = wrapped.getpeercert(binary_form=True)
            assert certificate is not None
            return certificate


def test_it_serves_over_tls_and_probes_stay_plain(tmp_path: Path, model_server: ModelServer) -> None:
    """The kubelet's probes are answered on a port that offers nothing else."""
    authority, port = trustme.CA(), _free_port()
    _issue(authority, tmp_path / "tls")
    runtime = _runtime(tmp_path, model_server, "--management-port", str(port))
    runtime.verify = _trusting(authority)
    with runtime:
        assert runtime.url.startswith("https://")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(runtime.url.replace("https:", "http:") + "/healthz")
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            httpx.get(f"{runtime.url}/healthz")
        plain = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{plain}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{plain}/readyz").json() == {"status": "ready"}
        for path in ("/", "/api/v1/agent", "/api/v1/sessions", "/healthz/", "//api/v1/agent"):
            assert httpx.get(f"{plain}{path}").status_code == 404, path
        events = runtime.ask(runtime.new_session(), "what is wrong?")
        assert events[-1]["outcome"] == "completed"


def test_only_callers_with_a_certificate_come_in_when_it_is_mutual(tmp_path: Path, model_server: ModelServer) -> None:
    """Of the same issuer; another agent's certificate is one."""
    authority, other, port = trustme.CA(), trustme.CA(), _free_port()
    _issue(authority, tmp_path / "tls")
    runtime = _runtime(tmp_path, model_server, "--management-port", str(port), "--tls-clients", "required")
    runtime.verify = _trusting(authority, authority.issue_cert("other-agent.ai-agents.svc"))
    with runtime:
        assert runtime.ask(runtime.new_session(), "hello")[-1]["outcome"] == "completed"
        for context in (_trusting(authority), _trusting(authority, other.issue_cert("intruder.ai-agents.svc"))):
            with pytest.raises((httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)):
                httpx.get(f"{runtime.url}/api/v1/agent", verify=context)
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200


def test_a_renewed_certificate_is_taken_over_without_a_restart(tmp_path: Path, model_server: ModelServer) -> None:
    """cert-manager renews, the kubelet swaps the files, new connections see the new one."""
    authority = trustme.CA()
    _issue(authority, tmp_path / "tls")
    runtime = _runtime(tmp_path, model_server, "--management-port", "0")
    runtime.verify = _trusting(authority)
    with runtime:
        port = int(runtime.url.rpartition(":")[2])
        before = _handshake(port, _trusting(authority))
        (tmp_path / "tls/..data/tls.key").write_text("half a key")  # a swap that went wrong harms nothing
        _issue(authority, tmp_path / "tls")
        deadline = time.monotonic() + 20
        while _handshake(port, _trusting(authority)) == before:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert runtime.process.poll() is None


@pytest.mark.parametrize("broken", ["missing", "not-a-key", "of-another-certificate"])
def test_files_that_do_not_fit_are_one_clear_line(tmp_path: Path, model_server: ModelServer, broken: str) -> None:
    """And exit 78, as for any config that cannot be used."""
    folder = tmp_path / "tls"
    if broken != "missing":
        authority = trustme.CA()
        _issue(authority, folder)
        other = authority.issue_cert("x").private_key_pem.bytes()
        (folder / "..data/tls.key").write_bytes(other if broken == "of-another-certificate" else b"nothing\n")
    runtime = _runtime(tmp_path, model_server)
    with pytest.raises(AssertionError, match="not serving"):
        runtime.start()
    lines = [line for line in runtime.wait_stderr().splitlines() if line.startswith("kagent-runtime:")]
    runtime.__exit__()
    assert runtime.process.returncode == 78
    assert len(lines) == 1
    assert f"the certificate cannot be used: {folder}" in lines[0]
    assert "Traceback" not in runtime.stderr
