"""Who may call the workloads: everyone whom the network lets in, who has a token, whom an issuer vouches for."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text, coded, matching

_IN_CLUSTER = (".svc", ".svc.cluster.local")
_MAX_ISSUER = 250
TokenName = Annotated[
    str,
    matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", "name", "letters, digits, `.`, `_` and `-`, at most 63 characters"),
]


def _issuer(value: str) -> str:
    # OpenID Connect Discovery 1.0, section 3: https, no query, no fragment.
    if not _is_url(value, ("https",)) or "?" in value or "#" in value or len(value) > _MAX_ISSUER:
        rule = f"the issuer's https:// URL, exactly as in its tokens, at most {_MAX_ISSUER} characters"
        raise PydanticCustomError("value", "{rule}", {"rule": rule})
    return value


def _key_set(value: str) -> str:
    host = urlsplit(value).hostname or "" if _is_url(value, ("http",)) else ""
    if not _is_url(value, ("https",)) and not host.endswith(_IN_CLUSTER):
        rule = "an https:// URL; http:// only of a Service as in http://keycloak.sso.svc:8080/keys"
        raise PydanticCustomError("value", "{rule}", {"rule": rule})
    return value


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        is_whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    has_space = any(character.isspace() for character in value)
    return parts.scheme in schemes and is_whole and not has_space and parts.username is None


class Bearer(SpecModel):
    """Tokens in a Secret of the workload's namespace. A changed Secret holds within a minute, without a restart."""

    tokens_secret_ref: SecretKeyReference = Field(
        description="Lines of `NAME:TOKEN`. Agents show each other the token named `agents`, else the first."
    )
    admins: list[TokenName] = Field(default_factory=list, description="Names whose tokens may read every session.")


class Oidc(SpecModel):
    """Tokens of an OpenID Connect issuer, verified in the pod: signature, issuer, audience, times."""

    issuer_url: Annotated[str, AfterValidator(_issuer)] = Field(description="`iss` of the tokens.")
    audience: Text = Field(description="What must be in `aud` of the tokens.")
    jwks_url: Annotated[str, AfterValidator(_key_set)] | None = Field(
        default=None, description="Where its keys are; default: where its discovery document says, on the same host."
    )
    groups_claim: Text = Field(default="groups", description="The claim with groups, as in `realm_access.roles`.")
    allowed_groups: list[Text] = Field(default_factory=list, description="Who may call; default: every subject.")
    admin_groups: list[Text] = Field(default_factory=list, description="Who may call, and read every session.")
    allow_private_addresses: bool = Field(default=False, description="The issuer is on a private network.")


class Authentication(SpecModel):
    """How callers of every workload are known. A session is its caller's: nobody else sees it."""

    type: Literal["None", "Bearer", "OIDC"] = Field(
        description="None: whoever the NetworkPolicy lets in, or with `tls.mutual` has a certificate."
    )
    bearer: Bearer | None = Field(default=None, description="Static tokens; with OIDC for agents and programs.")
    oidc: Oidc | None = Field(default=None, description="Of type OIDC.")

    @model_validator(mode="after")
    def _has_its_block(self) -> Self:
        """The blocks are those of the type."""
        if self.type == "Bearer" and self.bearer is None:
            raise coded("KR591", "`bearer` is missing", "type", "add bearer: {tokensSecretRef: {name: …, key: …}}")
        if self.type == "OIDC" and self.oidc is None:
            raise coded("KR591", "`oidc` is missing", "type", "add oidc: {issuerUrl: …, audience: …}")
        for name, block in (("bearer", self.bearer), ("oidc", self.oidc)):
            if block is not None and (self.type == "None" or (self.type == "Bearer" and name == "oidc")):
                raise coded("KR591", f"`{name}` is not a block of the type {self.type}", name, "remove it")
        return self
