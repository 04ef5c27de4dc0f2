"""What can go wrong with the database. No text has credentials in it."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be opened. The text has no credentials of its URL."""


class StoreUnavailableError(Exception):
    """The database does not answer now."""


class DuplicateMessage(Exception):
    """A message with this key was accepted before."""


class SessionBusyError(Exception):
    """The session has an open run."""


class NoSessionError(Exception):
    """The session is not there, or no longer."""


class LostRunError(Exception):
    """The run is not this process's any more: another one took it over, or its session was deleted."""
