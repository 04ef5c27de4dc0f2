"""The workbench of http tools: one request each, with arguments in its path, query or body."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from kagent_runtime.model.answer_schema import AnswerSchema
from kagent_runtime.model.remote import RemoteTool, VariableName
from kagent_runtime.model.strict import Component, Strict


class QueryValue(Strict):
    """One name and value of the query; a value that is one placeholder may be left out."""

    name: str
    value: str


class BasicCredentials(Strict):
    """User name, and the variable that holds the password."""

    username: str
    password_env: VariableName


class HttpTool(RemoteTool):
    """One request. `{name}` in url, query and body stands for an argument."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    query: list[QueryValue]
    body: dict[str, JsonValue] | None = None
    basic: BasicCredentials | None = None
    # Steps into a JSON answer: a key, an index, or `*` for every item.
    select: list[str | Annotated[int, Field(ge=0)]] | None = None
    # Of what is selected, or of the whole answer.
    answer_schema: AnswerSchema | None = None


class HttpToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[HttpTool] = Field(min_length=1)


class HttpToolsComponent(Component):
    """The http tools of an agent."""

    provider: Literal["kagent_runtime.components.HttpTools"]
    component_type: Literal["workbench"]
    config: HttpToolsConfig
