"""The command line as a user meets it: exit code, stdout and stderr together."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from kagent_render import __version__
from kagent_render.diagnostics import CODES
from tests.harness import CASES, EXAMPLES, ROOT, kagent_render, tree

BROKEN = "tests/cases/diagnostics/KR201-unknown-reference/input"


def test_version_and_help() -> None:
    """The two things anyone tries first."""
    assert kagent_render("--version").stdout == f"kagent-render, version {__version__}\n"
    shown = kagent_render("-h").stdout
    assert all(f"  {command} " in shown for command in ("build", "check", "explain", "run", "schema"))


def test_an_error_means_no_output_and_no_changed_file(tmp_path: Path) -> None:
    """stdout stays empty, the folder as it was."""
    printed = kagent_render("build", BROKEN)
    assert (printed.code, printed.stdout) == (1, "")
    assert "error[KR201]" in printed.stderr
    written = kagent_render("build", BROKEN, "-o", str(tmp_path / "out"))
    assert written.code == 1
    assert not (tmp_path / "out").exists()


def test_check_says_what_is_out_of_date_and_writes_nothing(tmp_path: Path) -> None:
    """As a CI step: exit 1 and the list."""
    out = tmp_path / "out"
    kagent_render("build", "examples/quickstart", "-o", str(out))
    (out / "ai-agents/k8s-troubleshooter/service.yaml").unlink()
    with (out / "ai-agents/k8s-troubleshooter/role.yaml").open("a") as file:
        file.write("# edited by hand\n")
    before = tree(out)
    outcome = kagent_render("build", "examples/quickstart", "-o", str(out), "--check")
    assert outcome.code == 1
    assert outcome.stderr.splitlines()[:2] == [
        "would be created ai-agents/k8s-troubleshooter/service.yaml",
        "would be changed ai-agents/k8s-troubleshooter/role.yaml",
    ]
    assert tree(out) == before


def test_a_removed_agent_takes_its_files_along(tmp_path: Path) -> None:
    """`-o` prunes what it wrote, and nothing else."""
    specs, out = tmp_path / "specs", tmp_path / "out"
    specs.mkdir()
    for name in ("one", "two"):
        text = (EXAMPLES / "quickstart/specs/agent.yaml").read_text().replace("k8s-troubleshooter", name)
        (specs / f"{name}.yaml").write_text(text)
    (specs / "model.yaml").write_text((EXAMPLES / "quickstart/specs/model.yaml").read_text())
    assert kagent_render("build", str(specs), "-o", str(out)).code == 0
    (out / "ai-agents/two/NOTES.md").write_text("kept\n")
    (specs / "two.yaml").unlink()
    outcome = kagent_render("build", str(specs), "-o", str(out))
    assert outcome.code == 0
    assert "deleted ai-agents/two/deployment.yaml" in outcome.stderr
    assert [path for path in tree(out) if "/two/" in path] == ["ai-agents/two/NOTES.md"]
    assert "/two/" not in (out / "kustomization.yaml").read_text()


def test_a_file_that_is_not_ours_stops_the_build(tmp_path: Path) -> None:
    """Someone's own kustomization.yaml is not overwritten."""
    (tmp_path / "kustomization.yaml").write_text("resources: [mine.yaml]\n")
    outcome = kagent_render("build", "examples/quickstart", "-o", str(tmp_path))
    assert (outcome.code, "KR601" in outcome.stderr) == (1, True)
    assert tree(tmp_path) == {"kustomization.yaml": "resources: [mine.yaml]\n"}


def test_the_namespace_option_is_for_documents_without_one() -> None:
    """A namespace in the spec wins."""
    out = kagent_render("build", "tests/cases/build/four-documents/input", "-n", "team-a").stdout
    spaces = {(d["metadata"]["name"], d["metadata"].get("namespace")) for d in yaml.safe_load_all(out)}
    assert spaces == {("k8s-troubleshooter", "ai-agents"), ("incident-response", "team-a")}


def test_usage_errors_exit_2() -> None:
    """And say how it is meant."""
    for arguments in (["build", "--check"], ["explain", "KR999"], ["schema", "Agnet"], ["nonsense"], ["build", "--x"]):
        outcome = kagent_render(*arguments)
        assert (outcome.code, outcome.stdout) == (2, ""), arguments
        assert "Error: " in outcome.stderr
    assert "did you mean `Agent`?" in kagent_render("schema", "Agnet").stderr


def test_an_unwritable_folder_is_an_io_error(tmp_path: Path) -> None:
    """One line, exit 2."""
    (tmp_path / "file").write_text("")
    outcome = kagent_render("build", "examples/quickstart", "-o", str(tmp_path / "file" / "out"))
    assert outcome.code == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained(code: str) -> None:
    """By its number and by its name, with the name in the title."""
    from click.testing import CliRunner

    from kagent_render.cli.parser import cli

    for word in (code, code.lower(), CODES[code].name):
        outcome = CliRunner().invoke(cli, ["explain", word])
        assert outcome.output.startswith(f"{code} {CODES[code].name} (")
        assert len(outcome.output) > 60


@pytest.mark.parametrize("kind", ["Agent", "AgentTeam", "ModelConfig", "Platform", "Tool", None])
def test_the_schema_accepts_the_examples_and_refuses_a_typo(kind: str | None) -> None:
    """An editor with this schema says what `check` says."""
    schema = json.loads(kagent_render("schema", *([kind] if kind else [])).stdout)
    validator = jsonschema.Draft202012Validator(schema)
    seen = 0
    for path in [*EXAMPLES.glob("*/specs/*.yaml"), *CASES.glob("build/*/input/*.yaml")]:
        for document in yaml.safe_load_all(path.read_text()):
            if kind in (None, document["kind"]):
                seen += 1
                validator.validate(document)
                document.setdefault("spec", {})["sytemMessage"] = "x"
                assert not validator.is_valid(document)
    assert seen


def test_reports_for_machines() -> None:
    """JSON has the whole diagnostic; GitHub's form is one command a line."""
    records = json.loads(kagent_render("check", BROKEN, "--format", "json").stdout)
    assert records[1]["code"] == "KR201"
    assert records[1]["name"] == "unknown-reference"
    assert records[1]["file"] == {"path": f"{BROKEN}/specs.yaml", "line": 14, "column": 13, "endColumn": 24}
    assert records[1]["help"] == "did you mean `kubectl-get`?"
    line = kagent_render("check", BROKEN, "--format", "github").stdout.splitlines()[1]
    assert line.startswith(
        f"::error file={BROKEN}/specs.yaml,line=14,col=13,title=KR201 unknown-reference::Tool `kubectl-gte`"
    )


def test_names_in_messages_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """An escape sequence in a quoted scalar is shown, not sent."""
    (tmp_path / "a.yaml").write_text('apiVersion: kagent.dev/v1alpha1\nkind: "Agent\\e[31m"\nmetadata: {name: a}\n')
    outcome = kagent_render("check", str(tmp_path), "--format", "full")
    assert "\x1b" not in outcome.stdout
    assert "\\u001b[31m" in outcome.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`kagent-render build … | head -1`."""
    command = f"{sys.executable} -m kagent_render build examples/quickstart | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.splitlines()[-1] in ("0", "141")
    assert "Traceback" not in done.stderr


def test_a_bug_of_ours_is_reported_without_spec_values(tmp_path: Path) -> None:
    """Exit 3 with the place in our code; the text of an exception may quote a spec."""
    program = (
        "import sys; from kagent_render import cli, compiler\n"
        "def broken(*a): raise ValueError('the prompt is: hunter2')\n"
        "compiler.discover = broken\n"
        "sys.exit(cli.main(['build', '.']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    assert "KR900" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


HEAVY = (
    "autogen",
    "kubernetes",
    "fastapi",
    "starlette",
    "uvicorn",
    "openai",
    "sqlalchemy",
    "ruamel",
    "jsonschema",
    "requests",
)


def test_a_build_imports_nothing_heavy() -> None:
    """By `-X importtime`, so that a lazy import that is not lazy shows."""
    command = [sys.executable, "-X", "importtime", "-m", "kagent_render", "build", "examples/quickstart"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    imported = set(re.findall(r"\|\s+(\S+)$", done.stderr, re.MULTILINE))
    assert "kagent_render.compiler" in imported
    assert not [name for name in imported if name.startswith(HEAVY)]


def test_a_build_opens_no_socket_and_starts_no_process(tmp_path: Path) -> None:
    """By an audit hook: a renderer in a shared pod may read its input and write its output, and that is all."""
    program = (
        "import sys\n"
        "from kagent_render import cli\n"
        "def hook(event, args):\n"
        "    if event.startswith(('socket.', 'subprocess.', 'os.system', 'os.exec', 'os.fork', 'urllib.')):\n"
        "        print('FORBIDDEN', event); raise SystemExit(99)\n"
        "sys.addaudithook(hook)\n"
        f"sys.exit(cli.main(['build', 'examples/quickstart', '-o', {str(tmp_path / 'out')!r}]))\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
