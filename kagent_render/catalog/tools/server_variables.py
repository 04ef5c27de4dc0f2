"""The environment of an MCP server: of a process of the agent's, or of a container of its own."""

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from kagent_render.catalog.base import Problem
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")


class ServerVariable(SpecModel):
    """A variable of the server's process: a value, or a key of a Secret."""

    name: Text = Field(description="Name of the variable.")
    value: str | None = Field(default=None, description="The value; a credential goes into `secretRef`.")
    secret_ref: SecretKeyReference | None = Field(default=None, description="The key of a Secret with the value.")


def check_variables(variables: Sequence[ServerVariable], location: tuple[int | str, ...]) -> Iterator[Problem]:
    """Names that no process could have, or that come twice; and variables without one source."""
    for index, variable in enumerate(variables):
        place = (*location, index)
        if not _VARIABLE.match(variable.name):
            help = "wanted: letters, digits and `_`, not starting with a digit"
            yield Problem("KR105", f"`{variable.name}` is not the name of a variable", (*place, "name"), help)
        elif variable.name in [other.name for other in variables[:index]]:
            yield Problem("KR204", f"`{variable.name}` is listed twice", (*place, "name"), "remove one")
        if (variable.value is None) == (variable.secret_ref is None):
            yield Problem("KR104", "a variable has a `value` or a `secretRef`", place, "give one of the two")
