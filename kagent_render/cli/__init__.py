"""The command line: parser and dispatch only, and the one place where exceptions end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

USAGE_ERROR, BUG, INTERRUPTED = 2, 3, 130


def entry_point() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 clean, 1 errors found, 2 usage or I/O, 3 our bug."""
    # Looking for pydantic plugins reads the metadata of every installed package; none may change validation here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    import click

    from kagent_render.cli.parser import cli

    try:
        return int(cli.main(list(arguments), prog_name="kagent-render", standalone_mode=False) or 0)
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE_ERROR
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: not an error
        return 0
    except OSError as error:
        print(f"kagent-render: {error.filename or ''}: {error.strerror}".replace(": :", ":"), file=sys.stderr)  # noqa: T201
        return USAGE_ERROR
    except Exception as error:
        _report_bug(error)
        return BUG


def _report_bug(error: Exception) -> None:
    """Name the place in our code, and nothing of the user's specs: an error's text may quote them."""
    from traceback import extract_tb

    from kagent_render import __version__

    frame = extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('kagent_render')[2].lstrip('/')}:{frame.lineno} in {frame.name}"
    print(f"kagent-render: internal error[KR900]: {type(error).__name__} at {place}", file=sys.stderr)  # noqa: T201
    print(f"This is a bug; please report it with the line above (version {__version__}).", file=sys.stderr)  # noqa: T201
