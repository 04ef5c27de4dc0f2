"""Writes tests/contract/pod_security.json.xz from the fixtures of k8s.io/pod-security-admission.

python -m tests.contract.generate_pod_security MODULE.zip

The zip is the module's as the Go module proxy gives it: `go mod download -json k8s.io/pod-security-admission@VERSION`.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).parent / "pod_security.json.xz"
MODULE = "k8s.io/pod-security-admission@v0.37.2"
_FIXTURE = re.compile(r".*/testdata/(baseline|restricted)/v(1\.\d+)/(pass|fail)/([^/]+)\.yaml")


def content(module: Path) -> bytes:
    """The file: each pod once, and by level, minor and verdict which pods the upstream says it of."""
    pods: list[Any] = []
    places: dict[str, int] = {}
    fixtures: list[tuple[str, str, str, str, int]] = []
    with zipfile.ZipFile(module) as archive:
        for name in sorted(archive.namelist()):
            found = _FIXTURE.fullmatch(name)
            if found and name.startswith(MODULE):
                pod = yaml.load(archive.read(name), yaml.CSafeLoader)
                text = json.dumps(pod, sort_keys=True)
                if text not in places:
                    places[text] = len(pods)
                    pods.append(pod)
                fixtures.append((found[1], found[2], found[3], found[4], places[text]))
    data = {"module": MODULE, "pods": pods, "fixtures": fixtures}
    return lzma.compress(json.dumps(data, sort_keys=True, separators=(",", ":")).encode(), preset=9)


def main(arguments: list[str]) -> int:
    """Write the file and print its checksum, which the test holds it to."""
    written = content(Path(arguments[0]))
    TARGET.write_bytes(written)
    sys.stdout.write(f"{len(written)} bytes, sha256 {hashlib.sha256(written).hexdigest()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
