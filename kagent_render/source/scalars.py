"""Plain scalars by the YAML 1.2 core schema, and those on which YAML 1.1 and 1.2 disagree.

Kubernetes, Argo CD and Flux read YAML 1.1 (go-yaml v2): `y`, `no`, `0777`, `1e3`, `12:30` mean other things there.
"""

from __future__ import annotations

import re

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?\Z")
_NUMERIC_START = frozenset("0123456789+-.")
_AMBIGUOUS_WORDS = frozenset(
    form for word in ("y", "n", "yes", "no", "on", "off") for form in (word, word.upper(), word.title())
)
_AMBIGUOUS_NUMBER = re.compile(
    r"""[-+]?(?:
        0[0-9_]+ | 0o[0-7_]+ | 0x[0-9a-fA-F_]+ | 0b[01_]+        # octal, hexadecimal, binary
      | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?              # sexagesimal: 12:30
      | [0-9]+[eE][-+]?[0-9]+                                    # 1e3
      | [0-9]+\.(?:[eE][-+]?[0-9]+)? | \.[0-9]+(?:[eE][-+]?[0-9]+)?
      | [0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?                       # 1_000
      | [0-9]{19,}                                               # beyond 64 bits
      | \.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    )\Z""",
    re.VERBOSE,
)
Scalar = str | int | float | bool | None


def is_ambiguous(text: str) -> bool:
    """Whether a plain scalar means different values to YAML 1.1 and 1.2 parsers."""
    if text in _AMBIGUOUS_WORDS or text == "=" or text == "<<":
        return True
    return text[:1] in _NUMERIC_START and _AMBIGUOUS_NUMBER.match(text) is not None


def resolve(text: str) -> Scalar:
    """The value of an unambiguous plain scalar."""
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] in _NUMERIC_START:
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text
