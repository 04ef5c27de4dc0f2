"""Build the programs of the control plane, and the tools around it, into the cache folder.

`python -m tests.e2e.controlplane.build [PROGRAM...]` builds what is not built yet, of what the tests start or of what
is named: that takes minutes once, and nothing after that. Each Go module has a folder by the digest of all that decides
what comes out, so that a change of one builds anew beside what older commits still use.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.e2e.containers import cache_directory
from tests.e2e.controlplane.go_toolchain import go_command, install_go, version_text

_HERE = Path(__file__).parent
_KUBERNETES = re.compile(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", re.MULTILINE)
_LANGUAGE = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Module:
    """A folder with a go.mod of its own, and the package of each program that is built there."""

    folder: Path
    programs: dict[str, str]
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Files of the modules themselves that go beside the programs: each a module and a path in it."""

    @property
    def go_mod(self) -> str:
        """The text of its go.mod."""
        return (self.folder / "go.mod").read_text(encoding="utf-8")

    @property
    def language(self) -> tuple[int, int]:
        """The Go version it needs."""
        found = _LANGUAGE.search(self.go_mod)
        assert found, f"no go directive in {self.folder}/go.mod"
        return int(found[1]), int(found[2])

    def linker_flags(self) -> str:
        """No debug information; and of Kubernetes the version, without which a server calls itself v0.0.0."""
        found = _KUBERNETES.search(self.go_mod)
        if not found or "kube-apiserver" not in self.programs:
            return "-s -w"
        stamp = {"gitVersion": found[1], "gitMajor": found[2], "gitMinor": found[3]}
        flags = [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamp.items()]
        return " ".join(["-s", "-w", *flags])

    def digest(self, go_version: str) -> str:
        """What decides the bytes of its programs."""
        sources = (path.relative_to(self.folder).as_posix() for path in self.folder.glob("*/*.go"))
        parts = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum", *sorted(sources))]
        parts += [go_version.encode(), self.linker_flags().encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


# Modules of their own where the dependencies of two programs would change each other's versions.
MODULES = (
    Module(
        _HERE,
        {
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
        },
    ),
    Module(_HERE / "kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
    Module(_HERE / "helm", {"helm": "helm.sh/helm/v4/cmd/helm"}),
    Module(_HERE / "kubeconform", {"kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform"}),
    Module(_HERE / "kustomize", {"kustomize": "sigs.k8s.io/kustomize/kustomize/v5"}),
    Module(_HERE / "flux", {"flux-apply": "./flux-apply"}),
    Module(
        _HERE / "argocd",
        {"argocd-cmp-server": "./cmp-server", "argocd-cmp-call": "./cmp-call", "argocd-servers": "./servers"},
        {"argocd-install.yaml": ("github.com/argoproj/argo-cd/v3", "manifests/core-install.yaml")},
    ),
)
PROGRAMS = tuple(name for module in MODULES for name in (*module.programs, *module.files))
_ARGOCD = MODULES[-1]
NEEDED = (*MODULES[0].programs, "kwok", "helm", "kustomize", "flux-apply", *_ARGOCD.programs, *_ARGOCD.files)
"""What the tests start; the others are there for who wants them."""


def built(program: str) -> Path | None:
    """Where the program is, if it has been built of the present sources."""
    module = _module_of(program)
    go = go_command(module.language)
    path = _folder(module, go) / program if go else None
    return path if path and path.is_file() else None


def build(programs: Sequence[str] = NEEDED) -> dict[str, Path]:
    """Build what is missing of the programs and return where they all are. Raises CalledProcessError."""
    return {name: built(name) or _build(name) for name in programs}


def _build(program: str) -> Path:
    module = _module_of(program)
    go = go_command(module.language) or install_go()
    folder = _folder(module, go)
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    # Beside its place and then renamed: a build that is killed leaves no program behind that only looks like one.
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        output = Path(unfinished) / program
        if program in module.files:
            _copy(go, module, program, output)
        else:
            flags = ["-trimpath", "-ldflags", module.linker_flags(), "-o", str(output)]
            subprocess.run([str(go), "build", *flags, module.programs[program]], cwd=module.folder, check=True)
        output.replace(folder / program)
    _say(f"built {program} in {time.monotonic() - started:.0f} s")
    return folder / program


def _copy(go: Path, module: Module, name: str, output: Path) -> None:
    source, path = module.files[name]
    command = [str(go), "list", "-m", "-f", "{{.Dir}}", source]
    # Without a folder where the module is not in Go's cache, because its packages come from the cache of builds.
    subprocess.run([str(go), "mod", "download", source], cwd=module.folder, check=True)
    done = subprocess.run(command, cwd=module.folder, check=True, capture_output=True, text=True)
    shutil.copyfile(Path(done.stdout.strip()) / path, output)


def _module_of(program: str) -> Module:
    return next(module for module in MODULES if program in module.programs or program in module.files)


def _folder(module: Module, go: Path) -> Path:
    return cache_directory() / "programs" / f"{module.folder.name}-{module.digest(_version(go))}"


@cache
def _version(go: Path) -> str:
    return version_text(go)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Build the programs named, or those needed, and say where each is."""
    unknown = sorted(set(arguments) - set(PROGRAMS))
    if unknown:
        _say(f"not known: {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
        return 2
    for path in build(arguments or NEEDED).values():
        _say(str(path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
