"""TLS contexts of tools, kept until their files change: the kubelet replaces them when a Secret changes."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

from kagent_runtime.model import RemoteTls


def ssl_context(tls: RemoteTls | None) -> ssl.SSLContext:
    """The context for a tool's files; without any, one that trusts the system's CAs. Raises OSError."""
    if tls is None:
        return _context(True, None, None, None, ())
    files = (tls.ca, tls.certificate, tls.key if tls.certificate else None)
    versions = tuple(os.stat(file).st_mtime_ns for file in files if file)
    return _context(tls.system_cas, *files, versions)


@lru_cache(maxsize=64)
def _context(
    system_cas: bool, ca: str | None, certificate: str | None, key: str | None, _versions: tuple[int, ...]
) -> ssl.SSLContext:
    context = ssl.create_default_context() if system_cas else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        context.load_verify_locations(ca)
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
