"""Kind Tool: something an agent may do."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import SpecModel, Text
from kagent_render.catalog.tools.base import Parameter
from kagent_render.catalog.tools.kubernetes import KubernetesBlock
from kagent_render.specs.base import Metadata


class ToolSpec(SpecModel):
    """What a tool is: its type, what the model is told, and one block named after the type."""

    type: Literal["kubernetes"] = Field(description="What it works on; the block of that name says how.")
    description: Text = Field(description="What the model reads to decide when to call it.")
    parameters: dict[str, Parameter] | None = Field(
        default=None, description="Narrows the arguments of the operation; default: all of them."
    )
    kubernetes: KubernetesBlock | None = Field(default=None, description="What a kubernetes tool reads, and where.")


class Tool(SpecModel):
    """Something an agent may do."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["Tool"]
    metadata: Metadata
    spec: ToolSpec
