"""The workbench that offers Python functions to an agent: of modules that the Deployment lists, and of no other.

Some are installed, others are files that came with the config, in a folder of their own: the last in which modules
are looked for, so that no file takes the place of what is installed.
"""

import asyncio
import contextvars
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from autogen_core import Component

from kagent_runtime.components import texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model.python_tools import PythonTool, PythonToolsConfig

MODULES_VARIABLE = "KAGENT_PYTHON_MODULES"
FOLDER_VARIABLE = "KAGENT_PYTHON_PATH"
_threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="python-tool")


class PythonToolError(Exception):
    """The function cannot be used. The text is one line."""


class PythonTools(RemoteWorkbench[PythonTool], Component[PythonToolsConfig]):
    """Functions of installed modules. Raises PythonToolError for one that cannot be called as it is declared."""

    component_type = "workbench"
    component_config_schema = PythonToolsConfig
    component_provider_override = "kagent_runtime.components.PythonTools"

    def __init__(self, config: PythonToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config
        self._functions = {tool.name: find(tool) for tool in config.tools}

    async def _perform(self, tool: PythonTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        function = self._functions[tool.name]
        try:
            if inspect.iscoroutinefunction(function):
                result = await function(**arguments)
            else:
                context = contextvars.copy_context()
                call = lambda: context.run(lambda: function(**arguments))  # noqa: E731
                result = await asyncio.get_running_loop().run_in_executor(_threads, call)
        except Exception as error:
            # What the function says is for the model to act on; the place in the code is not.
            raise ToolFailureError(f"{type(error).__name__}: {texts.one_line(str(error), 500)}") from None
        return texts.head(texts.printable(_text(result)), tool.max_bytes)

    def _to_config(self) -> PythonToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: PythonToolsConfig) -> Self:
        return cls(config)


def find(tool: PythonTool) -> Callable[..., Any]:
    """The function of a tool, if its module is listed and it takes what is declared. Raises PythonToolError."""
    listed = [name.strip() for name in os.environ.get(MODULES_VARIABLE, "").split(",") if name.strip()]
    if tool.module not in listed:
        raise PythonToolError(f"tool `{tool.name}`: the module {tool.module} is not in {MODULES_VARIABLE}")
    if tool.is_file:
        _check_file(tool)
    try:
        module = importlib.import_module(tool.module)
    except Exception as error:
        text = texts.one_line(str(error), 200)
        raise PythonToolError(f"tool `{tool.name}`: {tool.module} cannot be imported: {text}") from None
    function = getattr(module, tool.function, None)
    if not callable(function):
        raise PythonToolError(f"tool `{tool.name}`: {tool.module} has no function {tool.function}")
    _check_signature(tool, function)
    found: Callable[..., Any] = function
    return found


def _check_file(tool: PythonTool) -> None:
    """The module is the file in the folder, and not something installed that has its name."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    if not os.path.isdir(folder):
        raise PythonToolError(f"tool `{tool.name}`: {FOLDER_VARIABLE} is not the folder with {tool.module}.py")
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        origin = getattr(importlib.util.find_spec(tool.module), "origin", None) or ""
    except (ImportError, ValueError):  # of what is in the process already, and came from no file
        origin = ""
    if not origin.endswith(".py") or os.path.realpath(os.path.dirname(origin)) != os.path.realpath(folder):
        found = f"an installed module hides {tool.module}.py" if origin else f"there is no {tool.module}.py"
        raise PythonToolError(f"tool `{tool.name}`: {found}; the files are in {FOLDER_VARIABLE}")


def _check_signature(tool: PythonTool, function: Callable[..., Any]) -> None:
    declared = tool.parameters.properties
    always = {name for name in declared if name in tool.parameters.required or declared[name].default is not None}
    accepted = inspect.signature(function).parameters
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in accepted.values())
    by_name = {name for name, item in accepted.items() if item.kind is not inspect.Parameter.POSITIONAL_ONLY}
    unknown = [name for name in declared if name not in by_name and not takes_any]
    missing = [name for name, item in accepted.items() if _is_needed(item) and name not in always]
    if unknown or missing:
        problem = f"does not take `{unknown[0]}`" if unknown else f"needs `{missing[0]}`, which a call may leave out"
        raise PythonToolError(f"tool `{tool.name}`: {tool.module}.{tool.function} {problem}")


def _is_needed(parameter: inspect.Parameter) -> bool:
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return parameter.default is inspect.Parameter.empty and parameter.kind not in variable


def _text(result: Any) -> str:
    if isinstance(result, str):
        return result
    try:
        return json.dumps(result, ensure_ascii=False, indent=2, default=str)
    except (TypeError, ValueError):
        return str(result)
