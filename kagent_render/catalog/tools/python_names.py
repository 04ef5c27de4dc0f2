"""Names that a file of a tool cannot have: those of modules which the runtime has already."""

from __future__ import annotations

import keyword
import re
import sys

# What the packages of runtime/requirements.lock install; a test compares.
RUNTIME_MODULES = frozenset(
    """
    PIL _cffi_backend _yaml a2a aiofiles aiohappyeyeballs aiohttp aiohttp_retry aiologic aiosignal aiosqlite alembic
    annotated_doc annotated_types anthropic anyio apsw async_timeout asyncpg attr attrs autogen_agentchat autogen_core
    autogen_ext certifi cffi charset_normalizer click cryptography culsans dateutil distro docstring_parser durationpy
    fastapi frozenlist google greenlet h11 httpcore httpcore2 httptools httpx httpx2 idna jiter jsonref jsonrpc
    jsonschema jsonschema_specifications jwt kagent_render kagent_runtime kubernetes mako markupsafe mcp mcp_types
    multidict multipart oauthlib openai opentelemetry packaging prometheus_client propcache proto proxytypes pyasn1
    pyasn1_modules pycparser pydantic pydantic_core python_multipart redis referencing regex requests
    requests_oauthlib rpds sniffio sqlalchemy sqlite_vec sse_starlette starlette tiktoken tiktoken_ext truststore
    typing_extensions typing_inspection tzdata urllib3 uvicorn uvloop websocket wrapt yaml yarl
    """.split()
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OF_THE_INTERPRETER = frozenset({"__init__", "__main__", "sitecustomize", "usercustomize"})


def is_module_name(name: str) -> bool:
    """Whether a statement can import it."""
    return _NAME.match(name) is not None and not keyword.iskeyword(name)


def owner_of(name: str) -> str | None:
    """Whose module has this name; None when nobody's that is known."""
    if name in sys.stdlib_module_names or name in _OF_THE_INTERPRETER:
        return "Python"
    return "the runtime" if name in RUNTIME_MODULES else None
