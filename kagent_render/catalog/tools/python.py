"""Tool type `python`: a function of a module in the runtime image, or of a file beside the spec, which comes with it.

A config names code here, so naming is not enough: the Platform keeps a closed list of modules, the Deployment carries
it, and nothing else is imported. The compiler reads a file as text and as a syntax tree; it never runs it. Without
`parameters`, those of a function in a file are taken from its signature: types, defaults, and descriptions from the
section `Args:` of its docstring or from `Annotated[str, "text"]`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from kagent_render.catalog.base import Component, LoweredTool, Problem, component
from kagent_render.catalog.fields import PythonModule, SpecModel, Text, VariableName, coded
from kagent_render.catalog.tools import python_signature
from kagent_render.catalog.tools.base import Builtin, Parameter, ToolDeclaration
from kagent_render.catalog.tools.parameters import check_parameters, schema_of
from kagent_render.catalog.tools.python_file import ParsedFile, parse, stem
from kagent_render.catalog.tools.python_names import is_module_name, owner_of
from kagent_render.diagnostics import did_you_mean
from kagent_render.source import SourceFile

NAME = "python"
BUILTINS: dict[str, Builtin] = {}
_PYTHON_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class PythonBlock(SpecModel):
    """Which function."""

    # For editors; the validator below says it with a place and a fix.
    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["module"]}, {"required": ["file"]}]})

    module: PythonModule | None = Field(
        default=None, description="Dotted name; the Platform has to list it in `python.modules`."
    )
    file: Text | None = Field(
        default=None,
        description="Or a .py file, relative to the file that says this; the Platform lists its name without .py.",
    )
    function: VariableName = Field(description="Name of the function.")
    imports: list[Text] = Field(
        default_factory=list, description="Other .py files that `file` imports; they are in the Platform's list too."
    )
    timeout_seconds: float = Field(default=30, gt=0, le=3600, description="One call.")

    @model_validator(mode="after")
    def _names_one_module(self) -> Self:
        if self.module is None and self.file is None:
            raise coded("KR102", "the field `module` is missing", "", "or file: functions/….py")
        if self.module is not None and self.file is not None:
            raise coded("KR104", "`module` and `file` both say where the function is", "file", "keep one of the two")
        if self.imports and self.file is None:
            raise coded("KR361", "`imports` is for files that a `file` imports", "imports", "remove it")
        return self

    def places(self) -> Iterator[tuple[tuple[int | str, ...], str]]:
        """The files it names, with their places."""
        if self.file is not None:
            yield (NAME, "file"), self.file
        yield from (((NAME, "imports", index), name) for index, name in enumerate(self.imports))


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """A missing block, parameters that no function could have, and a file that is not what is said of it."""
    if tool.block is None:
        yield Problem("KR102", "the block `python` is missing", (), "add python: {module: …, function: …}")
        return
    parameters = tool.parameters or {}
    yield from check_parameters(parameters)
    for name in parameters:
        if not _PYTHON_NAME.match(name):
            help = f"rename it to `{name.replace('-', '_')}`, in the function too"
            yield Problem("KR105", f"`{name}` cannot be an argument in Python", ("parameters", name), help)
    if tool.code is not None:
        yield from _check_names(tool.block)
        yield from _check_code(tool, tool.code.files, tool.code.beside)


def _check_names(block: PythonBlock) -> Iterator[Problem]:
    """A file is imported under its own name, after all that is installed."""
    for place, file in block.places():
        name = PurePosixPath(file).stem
        if not is_module_name(name):
            help = "rename the file: letters, digits and `_`, not starting with a digit, and no keyword"
            yield Problem("KR105", f"`{name}` cannot be a module in Python", place, help)
        elif owner := owner_of(name):
            message = f"`{name}` is a module of {owner}, which would be imported in place of the file"
            yield Problem("KR383", message, place, f"rename the file, for example to {name}_tools.py")


def _check_code(tool: ToolDeclaration, files: tuple[SourceFile, ...], beside: frozenset[str]) -> Iterator[Problem]:
    brought = {stem(file) for file in files}
    for file in files:
        parsed = parse(file)
        if isinstance(parsed, Problem):
            yield parsed
        else:
            yield from _check_imports(parsed, brought, beside)
    first = parse(files[0])
    if isinstance(first, ParsedFile):
        yield from _check_function(tool, first)


def _check_imports(parsed: ParsedFile, brought: set[str], beside: frozenset[str]) -> Iterator[Problem]:
    for statement, name in parsed.imports():
        if name.startswith("."):
            message = "a relative import has nothing to start from: the file is a module of its own"
            yield Problem("KR380", message, (), "import it by its name alone", parsed.span_of(statement))
        elif name in beside - brought and owner_of(name) is None:
            message = f"{name}.py is beside the file, and does not come with it"
            help = "name it in the Tool: python: {imports: […]}"
            yield Problem("KR380", message, (), help, parsed.span_of(statement))


def _check_function(tool: ToolDeclaration, parsed: ParsedFile) -> Iterator[Problem]:
    name, functions = tool.block.function, parsed.functions()
    if name in functions:
        signature = python_signature.read(functions[name], parsed)
        if tool.parameters is None:
            yield from python_signature.check_derived(signature)
        else:
            yield from python_signature.check_declared(signature, tool.parameters)
        return
    listed = ", ".join(item for item in functions if not item.startswith("_"))
    help = did_you_mean(name, functions) or (f"it has: {listed}" if listed else "define it with `def`, not indented")
    is_other = name in parsed.bindings
    message = f"`{name}` is not a function that {parsed.file.path} defines" if is_other else f"there is no `{name}`"
    message = message if is_other else f"{message} at the top level of {parsed.file.path}"
    yield Problem("KR381", message, (NAME, "function"), help)


def _parameters(tool: ToolDeclaration) -> Mapping[str, Parameter]:
    """Those of the document, else those of the signature."""
    if tool.parameters is not None or tool.code is None:
        return tool.parameters or {}
    parsed = parse(tool.code.files[0])
    function = parsed.functions().get(tool.block.function) if isinstance(parsed, ParsedFile) else None
    if function is None or isinstance(parsed, Problem):
        return {}
    return python_signature.derived(python_signature.read(function, parsed))


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The function as the runtime finds it."""
    block: PythonBlock = tool.block
    files = frozenset((f"{stem(file)}.py", file.text) for file in tool.code.files) if tool.code else frozenset()
    module = block.module or PurePosixPath(block.file or "").stem
    config = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": schema_of(_parameters(tool)),
        "module": module,
        "function": block.function,
        "timeout_seconds": float(block.timeout_seconds),
        "max_bytes": 65536,
    } | ({"is_file": True} if block.file else {})
    modules = frozenset({module, *(name.removesuffix(".py") for name, _ in files)})
    return LoweredTool(tool.name, NAME, config, modules=modules, files=files)


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all python tools of an agent."""
    return component("kagent_runtime.components.PythonTools", "workbench", {"tools": [tool.config for tool in tools]})
