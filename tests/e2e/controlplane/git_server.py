"""A Git server on the loopback interface, and a working copy to commit from: Git's own daemon."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.controlplane.process import started

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Platform"), ("EMAIL", "platform@example.com"))
}


class Repository:
    """A repository that the server serves, and a clone of its branch `main` in `folder`."""

    def __init__(self, url: str, bare: Path, folder: Path) -> None:
        self.url, self.folder, self._bare = url, folder, bare
        folder.mkdir(parents=True)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("remote", "add", "origin", str(bare))

    def commit(self, message: str) -> str:
        """Commit and push everything in the folder; the id of the commit."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)
        return self._push()

    def revert(self) -> str:
        """`git revert` of the last commit, pushed."""
        self._git("revert", "--no-edit", "HEAD")
        return self._push()

    def show(self, branch: str, path: str) -> str:
        """A file of a branch, as the server has it."""
        return self._git(f"--git-dir={self._bare}", "show", f"{branch}:{path}")

    def log(self, branch: str) -> list[str]:
        """The commits of a branch that the server has, the newest first; none without the branch."""
        found = self._git(
            f"--git-dir={self._bare}", "for-each-ref", "--format=%(refname:short)", f"refs/heads/{branch}"
        )
        return self._git(f"--git-dir={self._bare}", "log", "--format=%H", branch).split() if found else []

    def _push(self) -> str:
        self._git("push", "--quiet", "origin", "main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), **_IDENTITY}
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout


class GitServer:
    """Repositories under git://127.0.0.1; who can reach it may push."""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="git-server-"))

        # Not by `git daemon`, whose child would outlive a test run that is killed.
        done = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
        program = Path(done.stdout.strip()) / "git-daemon"

        def command(port: int) -> list[str | Path]:
            place = ["--listen=127.0.0.1", f"--port={port}", f"--base-path={self._folder}"]
            return [program, "--reuseaddr", *place, "--export-all", "--enable=receive-pack", self._folder]

        log = self._folder / "git-daemon.log"
        try:
            self._process, self._port = started(command, log, listens, 30)
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()
        shutil.rmtree(self._folder)

    def repository(self, name: str) -> Repository:
        """A new, empty repository."""
        return Repository(f"git://127.0.0.1:{self._port}/{name}.git", self._folder / f"{name}.git", self._folder / name)


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
