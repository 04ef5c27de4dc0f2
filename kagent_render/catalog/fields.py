"""The strict base of every spec model, and the field types they share."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

JSON = dict[str, Any]

DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
DNS_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\Z")
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?\Z")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*\Z")
_REGISTRY = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([-._a-z0-9]*[a-z0-9])?)*\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MOUNT_PATH = re.compile(r"(/(?!\.\.?(/|\Z))[^/:\s]+)+\Z")
# distribution/reference: a registry with an optional port, path components, a tag, a digest.
_IMAGE = re.compile(
    r"([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?\Z"
)
_URL_PATH = re.compile(r"(/|(/(?!\.\.?(/|\Z))[A-Za-z0-9._~-]+)+/?)\Z")
_SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}\Z")


class SpecModel(BaseModel):
    """Strict and frozen: no coercion, no unknown field, camelCase outside."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        protected_namespaces=(),
        defer_build=True,
    )


@dataclass(frozen=True, slots=True)
class Matching:
    """A form that a text must have, and the rule in words; editors get it as the schema's `pattern`."""

    pattern: re.Pattern[str]
    kind: str
    rule: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JSON:
        return handler(schema) | {"pattern": f"^(?:{_in_ecma_script(self.pattern)})$"}

    def _check(self, value: str) -> str:
        if not self.pattern.match(value):
            raise PydanticCustomError(self.kind, "{rule}", {"rule": self.rule})
        return value


def _in_ecma_script(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.removesuffix(r"\Z").replace(r"\Z", "$")


def matching(pattern: str | re.Pattern[str], kind: str, rule: str) -> Matching:
    """A text of a form: `kind` is what it is to the user, `name` or `value`, and `rule` the form in words."""
    return Matching(re.compile(rf"(?:{pattern})\Z") if isinstance(pattern, str) else pattern, kind, rule)


def coded(code: str, message: str, field: str, help: str) -> PydanticCustomError:
    """An error of a whole model with its own diagnostic code, reported at one of its fields ("": at the model)."""
    return PydanticCustomError("coded", "{message}", {"code": code, "message": message, "field": field, "help": help})


ServiceName = Annotated[
    str,
    matching(DNS_LABEL, "name", "lower-case letters, digits and `-`, starting with a letter, at most 63 characters"),
]
ObjectName = Annotated[
    str, matching(DNS_SUBDOMAIN, "name", "lower-case letters, digits, `-` and `.`, at most 253 characters")
]
Namespace = Annotated[str, matching(NAMESPACE, "name", "lower-case letters, digits and `-`, at most 63 characters")]
SecretKey = Annotated[str, matching(_SECRET_KEY, "name", "letters, digits, `-`, `_` and `.`")]
Quantity = Annotated[str, matching(_QUANTITY, "value", "a Kubernetes quantity such as 500m, 2 or 256Mi")]
RegistryPrefix = Annotated[str, matching(_REGISTRY, "value", "a registry with or without a path, as in ghcr.io/team")]
PythonModule = Annotated[str, matching(_MODULE, "name", "a dotted name of a Python module")]
VariableName = Annotated[str, matching(_VARIABLE, "name", "letters, digits and `_`, not starting with a digit")]
MountPath = Annotated[str, matching(_MOUNT_PATH, "value", "an absolute path without `..` and `:`")]
ImageName = Annotated[
    str, matching(_IMAGE, "value", "an image such as ghcr.io/team/server:1.2.0, with or without a digest")
]
UrlPath = Annotated[str, matching(_URL_PATH, "value", "a path such as /mcp, without `..`, `?` and `#`")]
GoDuration = Annotated[
    str,
    matching(r"([1-9][0-9]*h)?[0-9]{1,2}m[0-9]{1,2}s", "value", "a duration as Go prints it, such as 1h0m0s or 15m0s"),
]
Text = Annotated[str, Field(min_length=1)]


class Reference(SpecModel):
    """The name of another document."""

    name: ObjectName = Field(description="Its `metadata.name`.")


class SecretKeyReference(SpecModel):
    """One key of a Secret that exists in the namespace of the workload. Only the reference is rendered."""

    name: ObjectName = Field(description="Name of the Secret.")
    key: SecretKey = Field(description="Key in the Secret's data.")
