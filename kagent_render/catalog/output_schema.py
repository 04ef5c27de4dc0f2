"""The JSON Schema of an answer, of an agent or of a server: the subset that every structured output accepts."""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import SpecModel, Text


class OutputValue(SpecModel):
    """A value in the answer. An object has `properties`, an array has `items`."""

    type: Literal["object", "array", "string", "number", "integer", "boolean"] = Field(description="What the value is.")
    description: Text | None = Field(default=None, description="What the model is told of the value.")
    enum: list[Text] | None = Field(default=None, min_length=1, description="The only values; strings.")
    properties: dict[Text, "OutputValue"] | None = Field(default=None, min_length=1, description="Of an object.")
    required: list[Text] | None = Field(default=None, description="Default: all of the properties.")
    items: "OutputValue | None" = Field(default=None, description="Of an array: what each item is.")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        wanted = {"object": "properties", "array": "items"}.get(self.type)
        if wanted and getattr(self, wanted) is None:
            raise _invalid(f"needs `{wanted}`, being an {self.type}")
        for field, type_ in (("properties", "object"), ("required", "object"), ("items", "array"), ("enum", "string")):
            if getattr(self, field) is not None and self.type != type_:
                raise _invalid(f"cannot have `{field}`, which is for type {type_}")
        for name in self.required or ():
            if name not in (self.properties or {}):
                raise _invalid(f"requires `{name}`, which is not one of its properties")
        return self

    def json_schema(self, *, is_open: bool = False) -> dict[str, object]:
        """As JSON Schema: every property required unless `required` says otherwise, and no other one if not open."""
        schema: dict[str, object] = {"type": self.type}
        schema |= {"description": self.description} if self.description else {}
        schema |= {"enum": list(self.enum)} if self.enum else {}
        if self.properties is not None:
            members = self.properties.items()
            schema["properties"] = {name: value.json_schema(is_open=is_open) for name, value in members}
            schema["required"] = list(self.properties) if self.required is None else list(self.required)
            schema["additionalProperties"] = is_open
        return schema | ({"items": self.items.json_schema(is_open=is_open)} if self.items else {})


class OutputSchema(SpecModel):
    """The answer as a whole: an object."""

    type: Literal["object"] = Field(description="What the answer is.")
    description: Text | None = Field(default=None, description="What the model is told of the answer.")
    properties: dict[Text, OutputValue] = Field(min_length=1, description="The fields of the answer.")
    required: list[Text] | None = Field(default=None, description="Default: all of the properties.")

    @model_validator(mode="after")
    def _requires_what_it_has(self) -> Self:
        self._as_value()
        return self

    def _as_value(self) -> OutputValue:
        return OutputValue(
            type=self.type, description=self.description, properties=self.properties, required=self.required
        )

    def json_schema(self) -> dict[str, object]:
        """As JSON Schema."""
        return self._as_value().json_schema()


def _invalid(text: str) -> PydanticCustomError:
    return PydanticCustomError("form", "{text}", {"text": text})


for _model in (OutputValue, OutputSchema):
    _model.model_rebuild()
