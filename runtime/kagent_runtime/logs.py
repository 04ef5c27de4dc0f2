"""JSON logs on stderr, one object a line; nothing of a conversation in them."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from kagent_runtime.audit import LOGGER as AUDIT

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}


class JsonFormatter(logging.Formatter):
    """A record as JSON. Of an exception only the type is told: its text may quote a prompt."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {
            "time": time,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {key: _shown(value) for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
        return json.dumps(fields, ensure_ascii=False)


def _shown(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, float, dict, list)) else str(value)


def configure_logs(level: str) -> None:
    """Send everything to stderr as JSON; libraries only from WARNING on, for some log payloads."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("kagent_runtime").setLevel(level.upper())
    logging.getLogger(AUDIT).setLevel(logging.INFO)  # a log for operators may be quiet, this one may not
