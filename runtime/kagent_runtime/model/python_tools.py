"""The workbench of python tools."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.remote import CalledTool
from kagent_runtime.model.strict import Component, Strict


class PythonTool(CalledTool):
    """A function of a module that the Deployment lists; one that `is_file` came with the config."""

    module: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")
    function: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    is_file: bool = False


class PythonToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[PythonTool] = Field(min_length=1)


class PythonToolsComponent(Component):
    """The python tools of an agent."""

    provider: Literal["kagent_runtime.components.PythonTools"]
    component_type: Literal["workbench"]
    config: PythonToolsConfig
