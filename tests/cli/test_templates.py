"""Templates of the user's own: what they may change, and what is refused with a place in them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.harness import Outcome, kagent_render

SERVICE = "deployment/service.yaml.j2"


def _shipped(name: str) -> str:
    return kagent_render("templates", name).stdout


def _build(folder: Path, name: str, text: str) -> Outcome:
    target = folder / "templates" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return kagent_render("build", "examples/quickstart", "--templates", str(folder / "templates"))


def test_a_template_of_ones_own_replaces_one_object_and_no_other(tmp_path: Path) -> None:
    """Everything the shipped template has at hand is there for it too."""
    text = _shipped(SERVICE).replace("  type: ClusterIP\n", "  type: ClusterIP\n  sessionAffinity: ClientIP\n")
    mine = _build(tmp_path, SERVICE, text)
    assert (mine.code, mine.stderr) == (0, "")
    shipped = kagent_render("build", "examples/quickstart").stdout
    assert mine.stdout.replace("  sessionAffinity: ClientIP\n", "") == shipped
    assert mine.stdout != shipped


def test_the_list_names_every_template() -> None:
    """`templates` lists what can be replaced and prints it."""
    names = kagent_render("templates").stdout.splitlines()
    assert SERVICE in names
    assert names == sorted(names)
    unknown = kagent_render("templates", "deployment/servce.yaml.j2")
    assert unknown.code == 2
    assert f"did you mean `{SERVICE}`?" in unknown.stderr


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("kind: Service", "kind: Srevice", "2:1: error[KR402]", "`kind` is not what the shipped template gives"),
        ("{{ metadata }}", "{name: other}", "3:1: error[KR402]", "`metadata.name` is not"),
        ("{{ selector }}", "{app: other}", "6:1: error[KR402]", "`spec.selector` is not"),
        ("  ports:\n", "  ports: http\n  other:\n", "7:1: error[KR404]", "`spec.ports` is a scalar"),
        ("{{ port }}", "{{ prot }}", "9:1: error[KR401]", "'prot' is undefined"),
        ("{{ port }}", "{{ port + 'a' }}", "9:1: error[KR401]", "TypeError"),
        ("{{ port }}", "{% if %}", "9:1: error[KR401]", "Expected an expression"),
        ("protocol: TCP\n", "protocol: a{{ port }}\n", ":1: error[KR401]", "text and {{ value }} are mixed"),
        ("protocol: TCP\n", "protocol: TCP\n      protocol: UDP\n", "12:1: error[KR401]", "the key `protocol`"),
        ("{{ port }}", "{{ metadata.__class__.__mro__ }}", "9:1: error[KR401]", "unsafe"),
        ("{{ port }}", "{{ metadata.update(name='x') }}", "9:1: error[KR401]", "unsafe"),
        ("{{ metadata }}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "3:1: error[KR401]", "unsafe"),
        ("apiVersion: v1\n", "{% include '../../../etc/passwd' %}\n", "error[KR401]", "/etc/passwd"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_at_its_line(
    tmp_path: Path, old: str, new: str, place: str, problem: str
) -> None:
    """No output, no stack trace, and the spec that was being rendered as a label."""
    text = _shipped(SERVICE)
    assert old in text
    outcome = _build(tmp_path, SERVICE, text.replace(old, new, 1))
    assert (outcome.code, outcome.stdout) == (1, "")
    first = outcome.stderr.splitlines()[0]
    assert place in first
    assert problem in first
    assert first.startswith((tmp_path / "templates" / SERVICE).as_posix())


def test_a_template_that_leaves_out_what_the_object_needs(tmp_path: Path) -> None:
    """A Deployment without containers is nothing that anyone meant."""
    name = "deployment/deployment.yaml.j2"
    text = _shipped(name)
    head, _, tail = text.partition("      containers:")
    outcome = _build(tmp_path, name, head + "      volumes:" + tail.partition("      volumes:")[2])
    assert outcome.code == 1
    assert "`spec.template.spec.containers` is missing" in outcome.stderr


def test_a_stray_template_is_not_ignored(tmp_path: Path) -> None:
    """A typo in its name would leave the shipped one in place in silence; so would a link to elsewhere."""
    outcome = _build(tmp_path, "deployment/servce.yaml.j2", "a: b\n")
    assert outcome.code == 1
    assert "error[KR403] there is no template `deployment/servce.yaml.j2`" in outcome.stderr
    assert f"did you mean `{SERVICE}`?" in outcome.stderr
    (tmp_path / "templates/deployment/servce.yaml.j2").unlink()
    (tmp_path / "templates" / SERVICE).symlink_to("/etc/hostname")
    assert "error[KR403] the symbolic link leads outside" in _build_again(tmp_path).stderr
    missing = kagent_render("check", "examples/quickstart", "--templates", str(tmp_path / "none"))
    assert missing.code == 1
    assert "is not a folder" in missing.stdout


def _build_again(folder: Path) -> Outcome:
    return kagent_render("build", "examples/quickstart", "--templates", str(folder / "templates"))


def test_diff_compares_with_the_same_templates(tmp_path: Path) -> None:
    """Otherwise a template would look like a change of the specs."""
    text = _shipped(SERVICE).replace("ClusterIP", "NodePort")
    _build(tmp_path, SERVICE, text)
    flags = ("--templates", str(tmp_path / "templates"))
    built = kagent_render("build", "examples/quickstart", "-o", str(tmp_path / "out"), *flags)
    assert built.code == 0
    assert kagent_render("diff", "examples/quickstart", "-o", str(tmp_path / "out"), *flags).code == 0
    assert kagent_render("diff", "examples/quickstart", "-o", str(tmp_path / "out")).code == 1
    service = yaml.safe_load((tmp_path / "out/ai-agents/k8s-troubleshooter/service.yaml").read_text())
    assert service["spec"]["type"] == "NodePort"
