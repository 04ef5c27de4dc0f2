"""A certificate for a loopback server, made by openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path


def loopback_certificate(
    folder: Path, addresses: Sequence[str] = ("127.0.0.1",), names: Sequence[str] = ()
) -> tuple[Path, Path]:
    """Return (certificate, key), self-signed for `names`, or else `addresses`; raises CalledProcessError."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subjects = ",".join([f"DNS:{name}" for name in names] or [f"IP:{address}" for address in addresses])
    # keyUsage: Python 3.13 verifies strictly and refuses a CA that does not say what it is for.
    extensions = [f"subjectAltName={subjects}", "keyUsage=critical,digitalSignature,keyCertSign"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", "/CN=loopback", "-keyout", str(key), "-out", str(certificate)]
    for extension in extensions:
        command += ["-addext", extension]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
