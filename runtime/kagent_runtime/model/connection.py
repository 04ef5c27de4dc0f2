"""How something outside is called: headers, and whom a TLS connection trusts. Credentials by name of a variable."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_runtime.model.strict import Strict


class Header(Strict):
    """A header: its value, or the variable that holds it."""

    name: str = Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
    value: str | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.value is None) == (self.env is None):
            raise PydanticCustomError("one_of", "a header has either `value` or `env`")
        return self


class ClientTls(Strict):
    """Files in the pod."""

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    use_system_cas: bool
