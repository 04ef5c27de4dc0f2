"""No value can change the structure that a template gives, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings

from kagent_render.targets import templating
from tests.strategies import json_values, texts


@pytest.fixture(scope="module", autouse=True)
def _templates(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of templates of our own, in place of the shipped ones."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "all.yaml.j2").write_text(
        "scalar: {{ value }}\nlist:\n  - {{ value }}\n  - x\nmap: {a: {{ value }}}\n"
        "{% for key, item in entries %}\n{{ key }}: {{ item }}\n{% endfor %}\njoined: {{ text ~ '-svc' }}\n"
    )
    (folder / "mixed.yaml.j2").write_text("name: x-{{ value }}\n")
    (folder / "undefined.yaml.j2").write_text("name: ok\nother: {{ missing }}\n")
    (folder / "syntax.yaml.j2").write_text("name: ok\nother: {{ value\n")
    (folder / "broken.yaml.j2").write_text("name: [\n")
    (folder / "two.yaml.j2").write_text("a: 1\n---\nb: 2\n")
    environment = templating._environment()
    before = environment.loader
    environment.loader = jinja2.FileSystemLoader(folder)
    yield
    environment.loader = before
    templating._template.cache_clear()


@settings(max_examples=400, deadline=None)
@given(json_values, texts)
def test_values_come_through_as_they_are(value: Any, text: str) -> None:
    """In every position: scalar, list item, map value, key, and inside an expression."""
    context = {"value": value, "text": text, "entries": [(f"k{text}", value)]}
    expected = {"scalar": value, "list": [value, "x"], "map": {"a": value}, f"k{text}": value, "joined": f"{text}-svc"}
    assert templating.render("all.yaml.j2", context) == expected


def test_none_removes_its_key() -> None:
    """Optional fields need no `if` in a template."""
    rendered = templating.render("all.yaml.j2", {"value": None, "text": "x", "entries": []})
    assert rendered == {"list": ["x"], "map": {}, "joined": "x-svc"}


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("mixed.yaml.j2", 0, "mixed"),
        ("undefined.yaml.j2", 2, "'missing' is undefined"),
        ("syntax.yaml.j2", 2, "unexpected"),
        ("broken.yaml.j2", 2, "not well-formed"),
        ("two.yaml.j2", 0, "2 documents"),
        ("absent.yaml.j2", 0, "absent"),
    ],
)
def test_a_bad_template_is_an_error_with_its_place(name: str, line: int, words: str) -> None:
    """Never a half-rendered object."""
    with pytest.raises(templating.TemplateError) as caught:
        templating.render(name, {"value": 1})
    assert (caught.value.line, words in caught.value.message) == (line, True), str(caught.value)


def test_the_shipped_templates_are_one_small_object_each() -> None:
    """One object a file, no arithmetic, no filters, no `set`: values are prepared by the target."""
    allowed = (jinja2.nodes.Output, jinja2.nodes.If, jinja2.nodes.For, jinja2.nodes.Template, jinja2.nodes.TemplateData)
    forbidden = (jinja2.nodes.Filter, jinja2.nodes.Assign, jinja2.nodes.Call, jinja2.nodes.Macro)
    paths = sorted(templating.template_folder().rglob("*.j2"))
    assert paths
    for path in paths:
        tree = jinja2.Environment().parse(path.read_text())
        assert isinstance(tree, allowed)
        assert not list(tree.find_all(forbidden)), path
        assert sum(line.startswith("kind:") for line in path.read_text().splitlines()) == 1, path
        assert len(path.read_text().splitlines()) <= 100, path


def test_the_templates_ship_in_the_wheel() -> None:
    """The build includes the folder that the code looks in."""
    import tomllib

    root = Path(__file__).resolve().parent.parent.parent
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"templates": "kagent_render/templates"}
