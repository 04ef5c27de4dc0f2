"""Where the programs of a control plane are, in the order of controller-runtime's envtest.

`TEST_ASSET_KUBE_APISERVER` and its like name one program, `KUBEBUILDER_ASSETS` a folder of them; then come what
`build.py` made, envtest's own folder and PATH.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.e2e.controlplane.build import PROGRAMS, built

_ENVTEST = Path("/usr/local/kubebuilder/bin")


def find(program: str) -> Path | None:
    """The program's path, or None."""
    named = os.environ.get(f"TEST_ASSET_{program.upper().replace('-', '_')}")
    if named:
        return Path(named)
    folders = [Path(folder) for folder in (os.environ.get("KUBEBUILDER_ASSETS"),) if folder]
    own = built(program) if program in PROGRAMS else None
    candidates = [*(folder / program for folder in folders), *([own] if own else []), _ENVTEST / program]
    there = next((path for path in candidates if path.is_file()), None)
    if there is not None:
        return there
    on_path = shutil.which(program)
    return Path(on_path) if on_path else None


def find_all(programs: tuple[str, ...]) -> tuple[dict[str, Path], list[str]]:
    """The paths of the programs that are there, and the names of those that are not."""
    found = {name: find(name) for name in programs}
    return (
        {name: path for name, path in found.items() if path is not None},
        [name for name, path in found.items() if path is None],
    )
