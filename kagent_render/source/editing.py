"""Fields of a YAML file set or removed, with everything else of it as it was: comments, quotes, order."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from kagent_render.source.formatting import FormatterMissingError

Identity = tuple[str, str, str]
# What is below the first key that has a mapping of its own.
_BELOW = re.compile(r"^[A-Za-z][^\n#]*:[ \t]*\n( +)[^\s#-]", re.MULTILINE)


def with_fields(text: str, edits: Mapping[Identity, tuple[str, Mapping[str, Any]]]) -> str:
    """The text with fields of `spec` set, None removes one; a document that is not there is added.

    An edit is found by kind, name and namespace, and has the apiVersion of a new document. Raises
    FormatterMissingError.
    """
    yaml = _editor(text)
    documents = [item for item in yaml.load_all(text) if item is not None] if text.strip() else []
    for identity, (api_version, values) in edits.items():
        found = next((item for item in documents if _identity(item) == identity), None)
        if found is None:
            found = _new(identity, api_version)
            documents.append(found)
        spec = found.setdefault("spec", {})
        for name, value in values.items():
            if value is None:
                spec.pop(name, None)
            else:
                spec[name] = value
    documents = [item for item in documents if _says_something(item)]
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def _editor(text: str) -> Any:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.util import load_yaml_guess_indent
    except ImportError:
        raise FormatterMissingError from None
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 16  # a line that is long stays one
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    first = text.split("\n---")[0]
    _, sequence, offset = load_yaml_guess_indent(first) if first.strip() else (None, None, None)
    below = _BELOW.search(text)
    mapping = len(below[1]) if below else 2
    yaml.indent(mapping=mapping, sequence=sequence or mapping + 2, offset=offset if sequence else mapping)
    return yaml


def _identity(item: Any) -> Identity | None:
    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
        return None
    metadata = item["metadata"]
    return str(item.get("kind")), str(metadata.get("name")), str(metadata.get("namespace") or "")


def _new(identity: Identity, api_version: str) -> dict[str, Any]:
    kind, name, namespace = identity
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {}}


def _says_something(item: Any) -> bool:
    """An overlay without fields is not one any more."""
    return not isinstance(item, dict) or bool(item.get("spec")) or _identity(item) is None
