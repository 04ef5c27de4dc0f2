"""What every protocol needs of a model's config: its key, its headers, its connection, its parameters."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import certifi
from autogen_core.models import ModelInfo

from kagent_runtime.model import ModelClientConfig
from kagent_runtime.model.connection import ClientTls


class ModelError(Exception):
    """A model cannot be called, or a call failed. The text is for people: no traceback, no key."""

    title = "The model call failed"


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection, over which AutoGen's clients are made, and what they want with every stream.

    `takes_response_format`: whether an output schema goes into OpenAI's `response_format`. `embeddings`: that part of
    OpenAI's SDK, where the protocol has it.
    """

    new_client: Callable[[], Any]
    stream_arguments: dict[str, Any]
    takes_response_format: bool = True
    embeddings: Any = None


def model_info(config: ModelClientConfig) -> ModelInfo:
    """What the model can do, as the spec says."""
    info = config.model_info
    return ModelInfo(
        vision=info.vision,
        function_calling=info.function_calling,
        json_output=info.json_output,
        family=info.family,
        structured_output=info.structured_output,
        multiple_system_messages=info.multiple_system_messages,
    )


def headers(config: ModelClientConfig) -> dict[str, str]:
    """The headers of the spec, those from Secrets filled in. Raises ModelError for a variable that is not set."""
    found = {}
    for header in config.headers:
        value = header.value if header.env is None else os.environ.get(header.env)
        if value is None:
            raise ModelError(f"model `{config.name}`: the variable {header.env} is not set")
        found[header.name] = value.strip()
    return found


def secrets(config: ModelClientConfig, key: str | None) -> list[str]:
    """Every credential that the client holds, for redaction."""
    values = [os.environ.get(header.env or "", "") for header in config.headers if header.env]
    return [value.strip() for value in [key or "", *values] if len(value.strip()) > 4]


def files_version(config: ModelClientConfig) -> tuple[tuple[str, int], ...]:
    """What changes when a controller renews a certificate: the kubelet swaps the files of a running pod."""
    tls = config.tls
    files = [file for file in (tls.ca_file, tls.certificate_file, tls.key_file) if file] if tls else []
    return tuple((file, os.stat(file).st_mtime_ns) for file in files if os.path.exists(file))


def ssl_context(tls: ClientTls, name: str) -> ssl.SSLContext:
    """Whom to trust, and the certificate to show. Raises ModelError for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.use_system_cas:
        context.load_default_certs()
        context.load_verify_locations(certifi.where())  # a slim base image has no CAs of its own
    file = tls.ca_file
    try:
        if tls.ca_file:
            context.load_verify_locations(tls.ca_file)
        if tls.certificate_file:
            file = tls.certificate_file
            context.load_cert_chain(tls.certificate_file, tls.key_file)
    except OSError as error:  # ssl.SSLError is one
        raise ModelError(f"model `{name}`: {file}: {error.strerror or error}") from error
    return context
