"""How callers of a pod say who they are, in words, read from the pod itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NOTHING = "nothing: whoever the network lets in is answered"


def in_words(pod: Mapping[str, Any]) -> str:
    """What a caller has to show."""
    found = [entry for container in pod.get("containers") or () for entry in container.get("env") or ()]
    values = {entry["name"]: str(entry.get("value", "")) for entry in found}
    mode = values.get("KAGENT_AUTH", "none")
    if mode == "certificate":
        return "a client certificate of the workloads' issuer"
    if mode == "bearer":
        return _tokens(pod) + _admins(values.get("KAGENT_AUTH_ADMINS"))
    if mode != "oidc":
        return NOTHING
    groups = _names(values.get("KAGENT_OIDC_ALLOWED_GROUPS"))
    text = f"a token of {values.get('KAGENT_OIDC_ISSUER')} for {values.get('KAGENT_OIDC_AUDIENCE')}"
    text += f" of a member of {groups}" if groups else ""
    text += _admins(values.get("KAGENT_OIDC_ADMIN_GROUPS"))
    if "KAGENT_AUTH_TOKENS_FILE" in values:
        text += f", or {_tokens(pod)}{_admins(values.get('KAGENT_AUTH_ADMINS'))}"
    return text


def _tokens(pod: Mapping[str, Any]) -> str:
    for volume in pod.get("volumes") or ():
        if volume["name"] == "auth" and "secret" in volume:
            keys = [item["key"] for item in volume["secret"].get("items") or ()]
            return f"a token of Secret {volume['secret']['secretName']}{f' key {keys[0]}' if keys else ''}"
    return "a token of a file"


def _admins(value: str | None) -> str:
    names = _names(value)
    return f" ({names} may read every session)" if names else ""


def _names(value: str | None) -> str:
    """As the runtime reads them: a JSON list, or names with commas between them."""
    try:
        found = json.loads(value or "[]")
    except ValueError:
        found = (value or "").split(",")
    return " or ".join(str(name) for name in found)
