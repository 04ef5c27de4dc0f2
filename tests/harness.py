"""Running the real command line in a child process, and comparing folders with what is committed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases"
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Build:
    """Specs whose manifests are committed: an example in an environment, or a case."""

    source: Path
    expected: Path
    environment: str | None = None

    @property
    def name(self) -> str:
        """As a test's id."""
        folder = self.source if self.source.parent == EXAMPLES else self.source.parent
        return "-".join(filter(None, [folder.name, self.environment]))

    @property
    def options(self) -> list[str]:
        """What `kagent-render build` is told besides the folder."""
        return ["--env", self.environment] if self.environment else []


def _builds() -> Iterator[Build]:
    for example in sorted(EXAMPLES.iterdir()):
        environments: list[str | None] = [*sorted(path.name for path in example.glob("environments/*"))]
        for environment in environments or [None]:
            yield Build(example, example / "rendered" / (environment or "default"), environment)
    for case in sorted((CASES / "build").iterdir()):
        yield Build(case / "input", case / "expected")


BUILDS = list(_builds())


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    stdout: str
    stderr: str


def kagent_render(*arguments: str, cwd: Path = ROOT, **environment: str) -> Outcome:
    """Run `kagent-render` as a user would, in a child process."""
    command = [sys.executable, "-m", "kagent_render", *arguments]
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rewrite(folder: Path, files: dict[str, str]) -> None:
    """Make a folder hold exactly these files (`--update-golden`)."""
    for path in set(tree(folder)) - set(files) if folder.is_dir() else ():
        (folder / path).unlink()
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
