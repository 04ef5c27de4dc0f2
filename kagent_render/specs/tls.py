"""TLS between agents, gateways and models, with certificates that cert-manager issues."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import GoDuration, ObjectName, SpecModel, Text


class IssuerReference(SpecModel):
    """Who signs the certificates. Public issuers cannot sign names inside the cluster."""

    name: ObjectName = Field(description="Name of the issuer.")
    kind: Text = Field(default="ClusterIssuer", description="Issuer or ClusterIssuer, or the kind of another group.")
    group: Text = Field(default="cert-manager.io", description="API group of the issuer.")


class PrivateKey(SpecModel):
    """The key of each certificate; it changes with every renewal."""

    algorithm: Literal["RSA", "ECDSA", "Ed25519"] = Field(default="ECDSA", description="Algorithm of the key.")
    size: int | None = Field(default=None, description="Bits; default 256 for ECDSA, 2048 for RSA.")


class Tls(SpecModel):
    """Serve every workload over TLS, with a certificate of its own."""

    issuer_ref: IssuerReference = Field(description="Who signs the certificates.")
    duration: GoDuration = Field(default="2160h0m0s", description="How long a certificate is valid; at least an hour.")
    renew_before: GoDuration = Field(default="720h0m0s", description="How long before its end it is renewed.")
    private_key: PrivateKey = Field(default_factory=PrivateKey, description="The key of each certificate.")
    mutual: bool = Field(
        default=False, description="Let in only callers with a certificate of the same issuer, such as other agents."
    )
    ca_config_map: ObjectName | None = Field(
        default=None, description="ConfigMap with the issuer's `ca.crt` in the namespaces of the agents, for gateways."
    )
