"""Which Python modules of the runtime image tools may use."""

from pydantic import Field

from kagent_render.catalog.fields import PythonModule, SpecModel


class Python(SpecModel):
    """The closed list of modules: a Tool of type python names one of them."""

    modules: list[PythonModule] = Field(default_factory=list, description="Dotted names; nothing below them counts.")
