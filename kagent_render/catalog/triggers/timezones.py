"""The names of IANA time zones, the same on every machine: a slim image has no tz database.

`python -m kagent_render.catalog.triggers.timezones` writes the list anew, from the `tzdata` package.
"""

from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("timezones.txt")


@cache
def time_zones() -> frozenset[str]:
    """Every accepted name."""
    lines = _FILE.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _generate() -> None:
    from importlib import metadata, resources  # not needed to compile

    package = resources.files("tzdata")
    names = sorted(package.joinpath("zones").read_text(encoding="ascii").split())
    version = metadata.version("tzdata")
    header = f"# IANA time zones, from tzdata {version}; written by `python -m {__spec__.name}`"
    _FILE.write_text("\n".join([header, *names]) + "\n", encoding="ascii")


if __name__ == "__main__":
    _generate()
