"""The bundled schemas and their validator against what they were made from, over everything that is rendered."""

from __future__ import annotations

import copy
import json
import lzma
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from kagent_render.schemas import MINORS, defects, schema_of
from tests.contract.generate_schemas import TARGET, bundle
from tests.contract.test_manifests import CRDS, FILES, check, documents

OBJECTS = [(path, item) for path in FILES for item in documents(path)]
Place = tuple[str | int, ...]


def test_the_bundle_is_what_the_released_packages_say() -> None:
    """`python -m tests.contract.generate_schemas` writes it; small enough to be shipped."""
    assert TARGET.read_bytes() == bundle()
    assert TARGET.stat().st_size < 60_000


def test_there_is_a_schema_for_every_kind_and_minor() -> None:
    """Also for the oldest: nothing is rendered that it does not serve."""
    kinds = {(item["apiVersion"], item["kind"]) for _, item in OBJECTS}
    assert len(kinds) > 20
    assert [(kind, minor) for kind in kinds for minor in MINORS if schema_of(*kind, minor) is None] == []
    assert schema_of("v1", "Secret") is None


@pytest.mark.parametrize("minor", MINORS)
def test_everything_that_is_rendered_is_valid(minor: str) -> None:
    """In every supported minor."""
    for path, item in OBJECTS:
        assert list(defects(item, schema_of(item["apiVersion"], item["kind"], minor) or {}, minor)) == [], path


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from _places(item, (*place, key))


_WRONG: tuple[Callable[[Any], Any], ...] = (
    lambda value: [value],
    lambda value: {"unknown": value},
    lambda value: 10**20,
    lambda value: -1,
    lambda value: "Ünknown!",
    lambda value: "",
    lambda value: True,
    lambda value: [],
    lambda value: {},
)


def _mutated(item: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    changed = copy.deepcopy(item)
    *above, last = chance.choice([place for place in _places(item) if place[0] not in ("apiVersion", "kind")])
    parent: Any = changed
    for key in above:
        parent = parent[key]
    action = chance.randrange(4)
    if action == 0:
        del parent[last]
    elif action == 1 and isinstance(parent, dict):
        parent["unknownField"] = 1
    else:
        parent[last] = chance.choice(_WRONG)(parent[last])
    return changed


def key_of(item: dict[str, Any]) -> tuple[str, str]:
    """As the CRDs are kept."""
    return item["apiVersion"], item["kind"]


def _is_valid(document: dict[str, Any]) -> bool:
    try:
        check(document)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError):
        return False
    return True


@pytest.mark.parametrize("seed", range(40))
def test_it_refuses_what_a_general_validator_refuses(seed: int) -> None:
    """One change at a random place: jsonschema's verdict on the full schemas, and ours on the bundled ones."""
    chance = random.Random(seed)
    for _ in range(5):
        _, item = chance.choice(OBJECTS)
        changed = _mutated(item, chance)
        found = list(defects(changed, schema_of(item["apiVersion"], item["kind"]) or {}))
        if _is_valid(changed):
            # Where ours knows more: keys of lists, bounds of int32; and a CRD's schema leaves metadata open.
            own = [item for item in found if not re.search("there twice|is not an int(32|64)", item.message)]
            assert [defect for defect in own if (key_of(item) not in CRDS or defect.path[0] != "metadata")] == []
        else:
            assert found


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict) and isinstance(schema.get("pattern"), str):
        yield schema["pattern"]
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _patterns(part)


def test_every_pattern_is_one_of_pythons_too() -> None:
    """They are written for Go's RE2; one that Python cannot compile would be a traceback."""
    found = sorted(set(_patterns(json.loads(lzma.decompress(TARGET.read_bytes())))))
    assert len(found) > 20
    for pattern in found:
        list(defects("text", {"pattern": pattern}))
    assert not list(defects("Warn", {"pattern": "^(?i)(abort|warn)?$"}))
    assert list(defects("a\nb", {"pattern": r"^\PC*$"}))
    assert list(defects("a\n", {"pattern": "^a$"}))


def test_a_defect_says_where_and_what() -> None:
    """In words for people."""
    schema = schema_of("v1", "Service") or {}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": "80"}, {"name": "x"}, {"port": 8, "prot": 1}], "type": 3},
    }
    told = [(".".join(map(str, defect.path)), defect.message) for defect in defects(service, schema)]
    assert told == [
        ("spec.ports.0.port", "has to be an integer, not `80`"),
        ("spec.ports.1.port", "is missing"),
        ("spec.ports.2.prot", "is not a field of it"),
        ("spec.type", "has to be a string, not `3`"),
    ]
