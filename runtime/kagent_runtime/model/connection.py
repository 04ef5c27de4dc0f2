"""How something outside is called: headers, and whom a TLS connection trusts. Credentials by name of a variable."""

from pydantic import Field

from kagent_runtime.model.strict import Strict


class Header(Strict):
    """A header: its value, or the variable that holds it."""

    name: str = Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
    value: str | None = None
    env: str | None = None


class ClientTls(Strict):
    """Files in the pod."""

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    use_system_cas: bool
