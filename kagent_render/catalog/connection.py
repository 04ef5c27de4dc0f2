"""How something outside is called: headers, and whom a TLS connection trusts. For models and for tools."""

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import ObjectName, SecretKeyReference, SpecModel, Text


class Header(SpecModel):
    """One HTTP header: a value, or a key of a Secret."""

    name: Text = Field(description="Name of the header.")
    value: str | None = Field(default=None, description="The value; a credential goes into `secretRef`.")
    secret_ref: SecretKeyReference | None = Field(default=None, description="The key of a Secret with the value.")

    @model_validator(mode="after")
    def _has_one_source(self) -> "Header":
        if (self.value is None) == (self.secret_ref is None):
            # Not the type `value`: its message would repeat the header, with what may be a credential.
            raise PydanticCustomError("one_of", "should have either `value` or `secretRef`")
        return self


class ConfigMapKeyReference(SpecModel):
    """One key of a ConfigMap in the namespace of the workload."""

    name: ObjectName = Field(description="Name of the ConfigMap.")
    key: Text = Field(description="Key in the ConfigMap's data.")


class SecretReference(SpecModel):
    """A Secret in the namespace of the workload."""

    name: ObjectName = Field(description="Name of the Secret.")


class ClientTls(SpecModel):
    """Whom a TLS connection trusts, and the certificate it shows."""

    ca_secret_ref: SecretKeyReference | None = Field(default=None, description="PEM certificates to trust.")
    ca_config_map_ref: ConfigMapKeyReference | None = Field(default=None, description="PEM certificates to trust.")
    client_certificate_secret_ref: SecretReference | None = Field(
        default=None, description="A Secret of type kubernetes.io/tls, with tls.crt and tls.key."
    )
    use_system_cas: bool = Field(default=True, alias="useSystemCAs", description="Whether to trust public CAs too.")
