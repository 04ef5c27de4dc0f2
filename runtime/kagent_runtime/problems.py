"""Errors as `application/problem+json`. Source: RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from kagent_runtime.storage.errors import StoreUnavailableError

# For the OpenAPI document, in place of the form that FastAPI would describe.
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}}
    | {"detail": {"type": "string"}},
}
CONTENT: dict[str, Any] = {"application/problem+json": {"schema": _PROBLEM}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    kind: {"description": "A problem (RFC 9457)", "content": CONTENT} for kind in ("4XX", "5XX")
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> HTTPException:
    """An error to raise from a route."""
    return HTTPException(status, detail, headers)


def install(app: FastAPI) -> None:
    """Answer every error in one form, without a traceback."""
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StoreUnavailableError, _unavailable)
    app.add_exception_handler(Exception, _bug)


async def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    return response(error.status_code, str(error.detail), dict(error.headers or {}))


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[0]
    place = ".".join(str(part) for part in found["loc"][1:])
    return response(HTTPStatus.UNPROCESSABLE_ENTITY, f"{place}: {found['msg']}" if place else str(found["msg"]))


async def _unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return response(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer now", {"Retry-After": "2"})


async def _bug(_request: Request, error: Exception) -> JSONResponse:
    return response(HTTPStatus.INTERNAL_SERVER_ERROR, type(error).__name__)


def response(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer itself, for middleware that cannot raise."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json")
