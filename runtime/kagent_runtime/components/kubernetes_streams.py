"""A command in a container, over the websocket that Kubernetes' API server opens for it (v5.channel.k8s.io).

The request, its credentials, its proxy and the names of the protocol are the official client's. Its `WSClient` is not
used: it waits for the handshake without end, it reads on as long as the command writes, so that neither a time nor a
size can be kept, and it would send the token to wherever a redirect leads.
"""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kagent_runtime.components.cluster import GIVEN_UP, ClusterError, signed, status_message

if TYPE_CHECKING:
    from kubernetes.client import Configuration
    from websocket import WebSocket

MAX_BYTES = 1 << 20
_POLL_SECONDS = 0.2  # how soon it is noticed that nobody waits any more
_STDOUT, _STDERR, _STATUS, _CLOSE = 1, 2, 3, 255
_GOES_ON = "the connection was closed; the command may still be running in the container"


@dataclass(slots=True)
class Outcome:
    """What a command wrote, and how it ended: `code` is None where that is not known, and `ending` says why."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    code: int | None = None
    ending: str = ""
    _status: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> None:
        """A frame: the number of its channel, then what came on it."""
        streams = {_STDOUT: self.stdout, _STDERR: self.stderr, _STATUS: self._status}
        if data and (stream := streams.get(data[0])) is not None:
            stream += data[1:]

    @property
    def is_full(self) -> bool:
        """Whether it is more than anybody can use."""
        return len(self.stdout) + len(self.stderr) + len(self._status) > MAX_BYTES

    def close(self) -> None:
        """Read what the API server said of the end."""
        try:
            status = json.loads(self._status)
            self.code = 0 if status["status"] == "Success" else _exit_code(status)
            self.ending = "" if self.code is not None else f"the command failed: {status.get('message')}"
        except (ValueError, KeyError, TypeError):
            self.ending = "the connection was lost before the command ended; it may still be running in the container"


def _exit_code(status: dict[str, Any]) -> int | None:
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    return None


def execute(path: str, query: list[tuple[str, str]], seconds: float) -> Outcome:
    """Run it to its end, or until the time is over or nobody waits. Blocks. Raises ClusterError if it cannot begin."""
    end = time.monotonic() + seconds
    if _is_given_up():
        raise ClusterError("cancelled before the command was run")
    websocket = _connected(path, query, seconds)
    try:
        return _followed(websocket, end, seconds)
    finally:
        websocket.shutdown()  # type: ignore[no-untyped-call]


def _followed(websocket: WebSocket, end: float, seconds: float) -> Outcome:
    from websocket import ABNF, WebSocketException, WebSocketTimeoutException

    outcome = Outcome()
    while not outcome.is_full:
        left = end - time.monotonic()
        if left <= 0 or _is_given_up():
            outcome.ending = f"no end within {seconds:g} s: {_GOES_ON}" if left <= 0 else f"cancelled: {_GOES_ON}"
            return outcome
        websocket.settimeout(min(left, _POLL_SECONDS))
        try:
            kind, frame = websocket.recv_data_frame(control_frame=True)
        except WebSocketTimeoutException:
            continue
        except (WebSocketException, OSError):
            kind, frame = ABNF.OPCODE_CLOSE, None
        if kind == ABNF.OPCODE_CLOSE:
            outcome.close()
            return outcome
        if kind in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame is not None:
            outcome.take(frame.data)
    outcome.ending = f"more than {MAX_BYTES:,} bytes of output: {_GOES_ON}"
    return outcome


def _is_given_up() -> bool:
    given_up = GIVEN_UP.get()
    return given_up is not None and given_up.is_set()


def _connected(path: str, query: list[tuple[str, str]], seconds: float) -> WebSocket:
    from kubernetes.stream import ws_client
    from websocket import WebSocket, WebSocketBadStatusException, WebSocketException, WebSocketTimeoutException

    configuration, url, headers = signed("GET", path, query)
    options: dict[str, Any] = {
        "header": [f"authorization: {headers['authorization']}"] if "authorization" in headers else [],
        "subprotocols": [ws_client.V5_CHANNEL_PROTOCOL, ws_client.V4_CHANNEL_PROTOCOL],
        "suppress_origin": True,
        "redirect_limit": 0,
        "timeout": seconds,
    }
    if configuration.proxy:
        options = ws_client.websocket_proxycare(options, configuration, url, headers)  # type: ignore[no-untyped-call]
    websocket = WebSocket(sslopt=_tls(configuration, url), skip_utf8_validation=True)
    try:
        websocket.connect(_websocket_url(url), **options)  # type: ignore[no-untyped-call]
    except WebSocketBadStatusException as error:
        raise ClusterError(status_message(error.resp_body or b"", error.status_code), error.status_code) from None
    except (WebSocketTimeoutException, TimeoutError):
        message = f"the API server did not open the connection within {seconds:g} s; the command may not have been run"
        raise ClusterError(message) from None
    except (WebSocketException, OSError) as error:
        raise ClusterError(f"the Kubernetes API cannot be reached: {type(error).__name__}") from None
    return websocket


def _websocket_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{'ws' if scheme == 'http' else 'wss'}://{rest}"


def _tls(configuration: Configuration, url: str) -> dict[str, Any]:
    """What the official client's `create_websocket` makes of its configuration."""
    if url.startswith("http://") or not configuration.verify_ssl:
        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    found = {
        "cert_reqs": ssl.CERT_REQUIRED,
        "ca_certs": configuration.ssl_ca_cert,
        "check_hostname": configuration.assert_hostname,
        "certfile": configuration.cert_file,
        "keyfile": configuration.key_file,
        "server_hostname": configuration.tls_server_name,
    }
    return {name: value for name, value in found.items() if value is not None}
