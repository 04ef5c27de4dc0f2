"""A public scanner over the manifests of every example: zero failed checks, but for exceptions that have a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.containers import cache_directory
from tests.harness import EXAMPLES

VERSION = "3.3.30"
EXAMPLE_NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
# Failed checks that stay, and why.
_SECRETS_AS_VARIABLES = {
    "CKV_K8S_35": "Secrets as files: keys are read once at the start, so a file would not rotate them either",
}
_WITHOUT_LOCK = {
    "CKV_K8S_43": "an image with a digest: these two name a released tag; platform-team has an images.lock",
    "CKV_K8S_15": "imagePullPolicy Always: a released tag does not change",
}
_HELM = {
    "CKV2_K8S_5": "list on Secrets: Helm keeps its releases there, and release-watcher was granted the Helm tools",
}
EXCEPTIONS = {
    "incident-response": _SECRETS_AS_VARIABLES | _WITHOUT_LOCK,
    "quickstart": _SECRETS_AS_VARIABLES | _WITHOUT_LOCK,
    "platform-team": _SECRETS_AS_VARIABLES | _HELM,
}


@pytest.fixture(scope="session")
def checkov() -> Path:
    """The scanner, in an environment of its own: it pins what other tools need in other versions."""
    venv = cache_directory() / f"checkov-{VERSION}"
    command = venv / "bin" / "checkov"
    if not (venv / "complete").exists():
        if os.environ.get("REQUIRE_CONTAINERS") != "1":
            pytest.skip(f"checkov {VERSION} is not in the cache; REQUIRE_CONTAINERS=1 installs it")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        subprocess.run([str(venv / "bin/pip"), "install", "-q", f"checkov=={VERSION}"], check=True)
        (venv / "complete").touch()
    return command


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_no_check_fails_without_a_reason(checkov: Path, name: str) -> None:
    """And none of the exceptions is there in vain."""
    folder = EXAMPLES / name / "rendered"
    arguments = ["-d", str(folder), "--framework", "kubernetes", "-o", "json", "--skip-download"]
    done = subprocess.run([str(checkov), *arguments], capture_output=True, text=True, timeout=300, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 50, done.stderr
    assert report["summary"]["parsing_errors"] == 0
    failed = {f"{item['check_id']} {item['resource']}": item for item in report["results"]["failed_checks"]}
    assert [key for key, item in failed.items() if item["check_id"] not in EXCEPTIONS[name]] == []
    assert {item["check_id"] for item in failed.values()} == set(EXCEPTIONS[name])
    by_helm = {item["resource"] for item in failed.values() if item["check_id"] in _HELM}
    assert all(resource.endswith(".release-watcher") for resource in by_helm)
