"""The KRM function by its contract: a ResourceList in and out, what is not ours untouched, results with places."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import EXAMPLES, ROOT, Outcome, kagent_render

CONFIG = {"apiVersion": "render.kagent.dev/v1", "kind": "Generator", "metadata": {"name": "agents"}}
FOREIGN = """\
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: settings
    annotations: {internal.config.kubernetes.io/path: a.yaml, on: "yes"}
  data:
    y: "n"
    mode: 0o755
    "time": 12:30
    text: "a\\tb"
    empty: ""
"""


def krm(text: str, cwd: Path = ROOT) -> Outcome:
    """As kustomize runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "kagent_render", "krm"],
        input=text, cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def request(items: list[Any] | None = None, version: str = "v1", **spec: Any) -> str:
    config = CONFIG | {"spec": spec}
    head = {"apiVersion": f"config.kubernetes.io/{version}", "kind": "ResourceList", "functionConfig": config}
    return yaml.safe_dump(head | {"items": [config, *(items or [])]}, sort_keys=False)


def test_the_code_of_tools_comes_too() -> None:
    """From the folder that the function may read."""
    folder = "tests/cases/build/tool-python/input"
    items = yaml.safe_load(krm(request(paths=[folder])).stdout)["items"]
    assert items == list(yaml.safe_load_all(kagent_render("build", folder).stdout))
    (code,) = [item["data"] for item in items if item["metadata"]["name"] == "accountant-python"]
    assert sorted(code) == ["quota.py", "rates.py"]


def specs_of(example: str) -> list[Any]:
    files = sorted((EXAMPLES / example / "specs").glob("*.yaml"))
    return [item for path in files for item in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_it_generates_what_build_prints(version: str) -> None:
    done = krm(request(paths=["examples/platform-team"], env="prod", version=version))
    answer = yaml.safe_load(done.stdout)
    assert (done.code, answer["apiVersion"], answer["kind"]) == (0, "config.kubernetes.io/v1", "ResourceList")
    built = kagent_render("build", "examples/platform-team", "--env", "prod").stdout
    assert answer["items"] == list(
        yaml.safe_load_all(built)
    )  # without its own configuration, which is one of the items


def test_specs_among_the_items_are_replaced_and_the_others_stay() -> None:
    """Byte by byte: another function's objects are not ours to write anew."""
    text = request(specs_of("quickstart")) + FOREIGN
    done = krm(text)
    assert done.code == 0, done.stderr
    assert FOREIGN in done.stdout
    assert done.stdout.index(FOREIGN) < done.stdout.index("Deployment")
    kinds = [item["kind"] for item in yaml.safe_load(done.stdout)["items"]]
    assert "Agent" not in kinds
    assert {"ConfigMap", "Deployment"} < set(kinds)
    built = list(yaml.safe_load_all(kagent_render("build", "examples/quickstart").stdout))
    assert yaml.safe_load(done.stdout)["items"][1:] == built


def test_namespace_and_fields() -> None:
    setting = {"Agent/k8s-troubleshooter:spec.workload.replicas": "3"}
    items = [item | {"metadata": {"name": item["metadata"]["name"]}} for item in specs_of("quickstart")]
    done = krm(request(items, namespace="team", set=setting))
    objects = yaml.safe_load(done.stdout)["items"]
    assert {item["metadata"]["namespace"] for item in objects} == {"team"}
    assert [item["spec"]["replicas"] for item in objects if item["kind"] == "Deployment"] == [3]


def test_a_defect_is_a_result_with_its_file_and_line_and_there_are_no_objects(tmp_path: Path) -> None:
    text = (EXAMPLES / "quickstart" / "specs" / "agent.yaml").read_text().replace("modelConfigRef", "modelConfigRaf")
    (tmp_path / "agent.yaml").write_text(text)
    done = krm(request(paths=["."]), tmp_path)
    answer = yaml.safe_load(done.stdout)
    assert (done.code, answer["items"]) == (1, [])
    (result,) = [item for item in answer["results"] if item["tags"]["code"] == "KR101"]
    assert result["severity"] == "error"
    assert result["file"] == {"path": "agent.yaml"}
    assert (result["tags"]["line"], result["tags"]["column"]) == ("12", "3")
    assert "agent.yaml:12:3: error[KR101]" in done.stderr


def test_a_defect_of_an_item_has_the_place_that_kustomize_gave_it() -> None:
    (agent, model) = specs_of("quickstart")
    agent["spec"]["modelConfigRaf"] = agent["spec"].pop("modelConfigRef")
    place = {"internal.config.kubernetes.io/path": "agents/a.yaml", "internal.config.kubernetes.io/index": "2"}
    agent["metadata"]["annotations"] = place
    done = krm(request([agent, model]))
    assert done.code == 1
    results = yaml.safe_load(done.stdout)["results"]
    assert {"path": "agents/a.yaml", "index": 2} in [item.get("file") for item in results]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "stdin is not a ResourceList; run it as a function of kustomize, or pipe one in"),
        ("kind: List\n", "stdin is not a ResourceList; run it as a function of kustomize, or pipe one in"),
        ("a: [", "stdin is not YAML: "),
        (request(path="."), "functionConfig.spec has `path`; there are: env, namespace, paths, set"),
    ],
)
def test_what_is_no_request_is_said(text: str, message: str) -> None:
    done = krm(text)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {message}")
    assert "Traceback" not in done.stderr
