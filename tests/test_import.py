"""`import`, by cases: kagent's resources, what becomes of them, and what is said of the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from autogen_agentchat.base import ChatAgent, Team

from kagent_render.compiler import compile_paths
from kagent_runtime.config import check_config
from tests.harness import CASES, ROOT, kagent_render
from tests.loading import with_files

FOLDER = CASES / "import"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
FAILING = {"02", "03", "05"}  # nothing of these can be imported, and each field that is why is named


def _import(name: str, *flags: str) -> tuple[int, str, str]:
    path = (FOLDER / name / "input.yaml").relative_to(ROOT).as_posix()
    outcome = kagent_render("import", path, "--format", "concise", *flags)
    return outcome.code, outcome.stdout, outcome.stderr.replace(f"{path}:", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_specs_and_the_report_are_exactly_as_expected(name: str, update_golden: bool) -> None:
    """Every field of the input is in one of the two."""
    code, specs, report = _import(name)
    assert "Traceback" not in report
    assert (code, bool(specs)) == ((1, False) if name[:2] in FAILING else (0, True)), report
    for file, text in (("expected.yaml", specs), ("report.txt", report)):
        path = FOLDER / name / file
        if update_golden and text:
            path.write_text(text, encoding="utf-8")
        assert text == (path.read_text(encoding="utf-8") if path.exists() else "")


@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] not in FAILING])
def test_what_is_imported_builds_and_loads(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The compiler accepts it without an error, and the pinned AutoGen loads what it is compiled to."""
    compilation = compile_paths([str(FOLDER / name / "expected.yaml")])
    assert [item for item in compilation.diagnostics.in_order() if item.code not in ("KR313",)] == []
    for workload in compilation.workloads:
        for variable in workload.variables:
            if variable.secret:
                monkeypatch.setenv(variable.name, "sk-for-loading-only")
        config = with_files(json.loads(json.dumps(workload.runtime_config)), tmp_path)
        kind = Team if workload.kind == "AgentTeam" else ChatAgent
        assert kind.load_component(check_config(config, name).component)


def test_a_field_that_nobody_knows_is_never_dropped(tmp_path: Path) -> None:
    """Whatever is put into a resource comes out, or is named: tried at every mapping of a real one."""
    source = (FOLDER / "every-field/input.yaml").read_text()
    documents = list(yaml.safe_load_all(source))
    tried = 0
    for number, document in enumerate(documents):
        for place in _mappings(document):
            changed = yaml.safe_load_all(source)
            target = list(changed)
            spot = target[number]
            for part in place:
                spot = spot[part]
            spot["aFieldOfTheFuture"] = "surprise"
            path = tmp_path / "in.yaml"
            path.write_text(yaml.safe_dump_all(target))
            report = _run_in_process(path)
            assert "surprise" in report or _is_named(place, report) or _is_free(place), (number, place)
            tried += 1
    assert tried > 40


def _is_named(place: tuple[str | int, ...], report: str) -> bool:
    """The field itself, or something that it is a part of."""
    names = [part for part in (*place, "aFieldOfTheFuture") if isinstance(part, str)]
    return any(f"`{'.'.join(names[:length])}`" in report for length in {*range(3, len(names)), len(names)})


def _is_free(place: tuple[str | int, ...]) -> bool:
    """Mappings with keys of the user's own: what is put there is carried over."""
    free = {"labels", "annotations", "nodeSelector", "defaultHeaders", "env", "resources", "tolerations", "affinity"}
    return any(part in free for part in place)


def _mappings(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path] + [found for key, item in value.items() for found in _mappings(item, (*path, key))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _mappings(item, (*path, index))]
    return []


def _run_in_process(path: Path) -> str:
    from kagent_render.diagnostics import Diagnostics
    from kagent_render.kagent.convert import convert
    from kagent_render.kagent.write import write
    from kagent_render.source import discover, read_documents

    diagnostics = Diagnostics()
    files = discover([str(path)], diagnostics)
    specs = convert([document for file in files for document in read_documents(file, diagnostics)], diagnostics)
    return write(specs) + "\n".join(item.message for item in diagnostics.in_order())


def test_it_writes_one_file_a_resource_and_overwrites_none(tmp_path: Path) -> None:
    """And reads stdin."""
    case = (FOLDER / "01-agent-declarative-k8sgpt/input.yaml").relative_to(ROOT).as_posix()
    first = kagent_render("import", case, "-o", str(tmp_path / "specs"))
    assert first.code == 0
    names = sorted(path.name for path in (tmp_path / "specs").iterdir())
    assert names == ["kagent-k8sgpt-agent.yaml", "kagent-k8sgpt-mcp-server.yaml"]
    again = kagent_render("import", case, "-o", str(tmp_path / "specs"))
    assert again.code == 2
    assert "nothing is overwritten" in again.stderr


def test_what_kubectl_prints_is_read_from_stdin(tmp_path: Path) -> None:
    """A List, with what the server adds to every object."""
    documents = list(yaml.safe_load_all((FOLDER / "08-v1alpha1-autogen-agent-memory/input.yaml").read_text()))
    for document in documents:
        document["metadata"] |= {"uid": "1", "resourceVersion": "2", "creationTimestamp": "2025-01-01T00:00:00Z"}
        document["status"] = {"conditions": [{"type": "Ready"}]}
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": documents})
    command = [sys.executable, "-m", "kagent_render", "import", "-"]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, check=True, timeout=60)
    assert list(yaml.safe_load_all(done.stdout)) == list(
        yaml.safe_load_all((FOLDER / "08-v1alpha1-autogen-agent-memory/expected.yaml").read_text())
    )
    assert [line.partition(" is not ")[0].rpartition("] ")[2] for line in done.stderr.splitlines()] == [
        "Secret",
        "Secret",
        "Memory",
        "`spec.memory`",
    ]


def test_a_part_can_be_imported_although_another_cannot() -> None:
    """`--partial`; without it a mistake would leave half a repository behind."""
    paths = [str(FOLDER / name / "input.yaml") for name in NAMES if name[:2] in ("02", "08")]
    whole = kagent_render("import", *paths)
    assert (whole.code, whole.stdout) == (1, "")
    part = kagent_render("import", *paths, "--partial")
    assert part.code == 1
    assert [item["kind"] for item in yaml.safe_load_all(part.stdout)] == ["ModelConfig", "Agent"]
