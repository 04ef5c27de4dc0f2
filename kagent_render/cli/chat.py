"""`kagent-render chat`: talk to a running agent. What agents say is on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO
from urllib.parse import urlsplit

import click

from kagent_render.cli.chat_client import BROKEN, AnswerError, ChatClient, Event

_TRIES, _PAUSE_SECONDS = 5, 1.0
_LINE = 300
# What a model says must not steer the terminal.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PROMPT = "> "


def run(url: str, message: str | None, session: str | None) -> int:
    """Hold a conversation, or have one message answered. Exit 1 when the turn did not complete, 2 on I/O errors."""
    if urlsplit(url).scheme not in ("http", "https"):
        how = f"for one in a cluster: kubectl port-forward service/{url} 8080"
        raise click.UsageError(f"`{url}` is not an address such as http://127.0.0.1:8080; {how}")
    client = ChatClient(url, os.environ.get("KAGENT_TOKEN"))
    is_pipe = not sys.stdin.isatty()
    if message is None and is_pipe:
        message = sys.stdin.read().strip()
        if not message:
            raise click.UsageError("there is no message on stdin")
    try:
        chat = _Chat(client, session)
        return chat.turn(message) if message is not None else chat.converse()
    except AnswerError as error:
        _note(f"error: {error}")
    except BROKEN as error:
        _note(f"error: {url} cannot be reached: {getattr(error, 'reason', None) or error}")
    return 2


def _note(text: str) -> None:
    click.secho(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text), dim=True, err=True)


class _Chat:
    def __init__(self, client: ChatClient, session: str | None) -> None:
        self._client, self._session = client, session
        agent = client.agent()
        self._is_team = agent.get("kind") == "AgentTeam"
        if session is not None:
            client.session(session)
        self._greeting = f"{agent.get('name')}: {agent.get('description')}"
        self._notices = agent.get("notices", ())

    def converse(self) -> int:
        """Until the end of input."""
        with suppress(ImportError):
            import readline  # noqa: F401  # line editing in input()
        for line in (self._greeting, *self._notices, "Ctrl-C cancels an answer, Ctrl-D ends."):
            _note(line)
        while True:
            try:
                content = input(_PROMPT).strip()
            except EOFError:
                click.echo(err=True)
                break
            except KeyboardInterrupt:
                click.echo(err=True)
                continue
            if content:
                self.turn(content)
        if self._session is not None:
            _note(f"to continue: --session {self._session}")
        return 0

    def turn(self, content: str) -> int:
        """One message, to the end of its run, over lost connections too."""
        if self._session is None:
            self._session = self._client.new_session(" ".join(content.split())[:80])
        screen, tries = _Screen(self._is_team), 0
        events = self._client.send(self._session, content)
        while True:
            before = screen.last
            try:
                return self._watch(events, screen)
            except KeyboardInterrupt:
                _note("\ncancelling")
                self._client.cancel(self._session)
            except (AnswerError, *BROKEN) as error:
                tries = tries + 1 if screen.last == before else 1
                is_refused = isinstance(error, AnswerError) and error.status < 500
                if is_refused or screen.last == 0 or tries > _TRIES:  # not accepted, as far as known; or gone for good
                    raise
                time.sleep(_PAUSE_SECONDS)
            screen.rejoin()
            events = self._client.follow(self._session, screen.last)

    def _watch(self, events: Iterator[Event], screen: _Screen) -> int:
        for event in events:
            if screen.show(event):
                return 0 if event["outcome"] == "completed" else 1
            if event["type"] == "approval.requested":
                self._approve(event)
        raise ConnectionError("the connection was closed")

    def _approve(self, call: Event) -> None:
        assert self._session is not None
        terminal = _terminal()
        if terminal is None:
            _note(f"it waits until {call['expiresAt']}: approve it on the agent's page, there is no terminal to ask")
            return
        if preview := call.get("preview"):
            _note(preview)
        answer = _asked(terminal, f"Approve {call['name']}? [y/N, or a reason to deny] ")
        is_yes = answer.casefold() in ("y", "yes")
        reason = None if is_yes or answer.casefold() in ("", "n", "no") else answer
        try:
            self._client.decide(self._session, call["callId"], "approve" if is_yes else "deny", reason)
        except AnswerError as error:
            _note(str(error))


def _terminal() -> TextIO | None:
    """Where a person can be asked, also when stdin is a pipe."""
    if sys.stdin.isatty():
        return sys.stdin
    try:
        return open("/dev/tty", encoding="utf-8")
    except OSError:
        return None


def _asked(terminal: TextIO, question: str) -> str:
    click.echo(question, nl=False, err=True)
    return terminal.readline().strip()


class _Screen:
    """Prints the events of one run as they come."""

    def __init__(self, is_team: bool) -> None:
        self.last = 0
        self._is_team = is_team
        self._run: str | None = None
        self._shown: dict[str, str] = {}  # by message, what was printed of it
        self._is_open = self._is_joining = False
        self._held: set[str] = set()

    def rejoin(self) -> None:
        """Pieces may have been missed: a message that is being written is shown to its end once it is whole."""
        self._is_joining, self._held = True, set(self._shown)

    def show(self, event: Event) -> bool:
        """Print an event; whether it is the run's end."""
        self.last = event.get("seq", self.last)
        self._run = self._run or event["runId"]
        if event["runId"] != self._run:
            return False
        if event["type"] in ("message", "message.delta"):
            self._speech(event)
        elif line := _activity(event):
            self._close()
            _note(line)
        if event["type"] == "run.finished":
            self._close()
        return bool(event["type"] == "run.finished")

    def _speech(self, event: Event) -> None:
        id, is_whole = event["messageId"], event["type"] == "message"
        if not is_whole and self._is_joining:
            self._is_joining = False
            self._held.add(id)
        if not is_whole and id in self._held:
            return
        before = self._shown.get(id)
        text = event["content"].removeprefix(before or "") if is_whole else event["content"]
        if before and is_whole and not event["content"].startswith(before):
            text = ""
        if before is None:
            self._close()
            if self._is_team:
                _note(f"{event['agent']}:")
        self._shown[id] = (before or "") + text
        if text:
            click.echo(_CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text), nl=False)
            sys.stdout.flush()
            self._is_open = not text.endswith("\n")
        if is_whole:
            self._close()

    def _close(self) -> None:
        if self._is_open:
            click.echo()
            sys.stdout.flush()
            self._is_open = False


def _activity(event: Event) -> str | None:
    match event["type"]:
        case "tool.call" | "approval.requested":
            verb = "calls" if event["type"] == "tool.call" else "asks to call"
            arguments = json.dumps(event["arguments"], ensure_ascii=False)
            return f"  {event['agent']} {verb} {event['name']} {_short(arguments)}"
        case "tool.result":
            return f"  {event['name']}{' failed' if event['isError'] else ''}: {_short(event['content'])}"
        case "approval.decided":
            return f"  {event['name']}: {event['decision']}, by {event['by']}"
        case "handoff":
            return f"  {event['agent']} hands over to {event['target']}"
        case "notice":
            return str(event["content"])
        case "run.finished" if event["outcome"] != "completed":
            error = event.get("error")
            reason = f"{error['title']}: {error['detail']}" if error else event["stopReason"]
            return f"{event['outcome']}: {reason}"
    return None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else line[:_LINE] + "…"
