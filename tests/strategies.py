"""Hypothesis strategies: strings that break YAML writers, JSON values, specs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

# What some parser takes for another type, folds, drops or refuses.
_WORDS = (
    "y n Y N yes no on off On OFF true False null Null ~ nan .nan .inf -.inf 1e3 1E3 1e+3 1.5e3 "
    "12e4567 0o17 0x1F 08 0777 "
    "010 1_000 12:30 12:30:45 190:20:30 -.5 .5 5. +1 -0 - -- --- ... : :: a: :a a:b a#b #a @a `a %a !a &a *a |a >a ?a "
    "? - = << [a] {a} a,b 'a' \"a\" a\\b 2001-01-01 2001-01-01T00:00:00Z 0 00 1 -1 1.0 0.1 0b1 1:1 a/b a@b a+b"
)
NASTY = [
    *_WORDS.split(),
    "",
    " ",
    " a",
    "a ",
    "a b",
    "a  b",
    "a: b",
    "a #b",
    "- a",
    "? a",
    "a\n",
    "a\nb",
    "\na",
    "a\n\n",
    "a\n\n\n",
    " a\nb",
    "a\n b\n",
    "a \nb",
    "a\n\tb",
    "\ta",
    "a\r\nb",
    "a\rb",
    "a\u0085b",
    "a\u2028b",
    "a\u00a0b",
    "\ufeffa",
    "a\x00b",
    "a\x1bb",
    "a\x7fb",
    "é",
    "日本語",
    "🙂",
    "\ue0000",
    "{{ x }}",
    "{% x %}",
    "${X}",
    "---\nkind: Secret\n",
    "a\n---\nb",
    "a\n...\nb",
    "# comment\nb",
    "%YAML 1.1\nb",
]
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("0123456789abcdefxonyNY.:-_+eE~!&*?|>#{}[],'\"`@% \t\n\\=/", max_size=10),
    st.lists(st.sampled_from(NASTY), max_size=4).map("\n".join),
)
scalars = st.one_of(
    texts, st.integers(-(2**53), 2**53), st.booleans(), st.floats(allow_nan=False, allow_infinity=False)
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
json_objects = st.dictionaries(texts, json_values, max_size=5)
