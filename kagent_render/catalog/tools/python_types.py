"""An annotation to what a model is told of an argument: str, int, float, bool, texts to choose from, or none given."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kagent_render.catalog.tools.base import ParameterType
from kagent_render.catalog.tools.python_file import ParsedFile

_PLAIN: dict[str, ParameterType] = {
    "builtins.str": "string",
    "builtins.int": "integer",
    "builtins.float": "number",
    "builtins.bool": "boolean",
}
_TYPING = ("typing.", "typing_extensions.")
_DEEPEST = 16
WANTED = 'wanted: str, int, float, bool or Literal["a", "b"], each with `| None` if the default is None'


@dataclass(frozen=True, slots=True)
class Told:
    """What a model is told of a value; `choices` are the only ones."""

    type: ParameterType
    choices: tuple[str, ...] = ()
    description: str | None = None


class NotTellableError(Exception):
    """An annotation, or a part of one, that a model cannot be told."""

    def __init__(self, message: str, node: ast.expr) -> None:
        super().__init__(message)
        self.message, self.node = message, node


def told(annotation: ast.expr, file: ParsedFile, depth: int = 0) -> Told:
    """What a model is told of an annotation. Raises NotTellableError."""
    if depth > _DEEPEST:
        raise NotTellableError("the type is nested too deep", annotation)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _union(list(_alternatives(annotation)), annotation, file, depth)
    if isinstance(annotation, ast.Subscript):
        return _subscript(annotation, file, depth)
    if (alias := _alias(annotation, file)) is not None:
        try:
            return told(alias, file, depth + 1)
        except NotTellableError as error:
            raise NotTellableError(error.message, annotation) from None
    name = _qualified(annotation, file)
    if name in _PLAIN:
        return Told(_PLAIN[name])
    raise NotTellableError(f"`{_shown(annotation)}` is no type that a model can be told", annotation)


def _subscript(node: ast.Subscript, file: ParsedFile, depth: int) -> Told:
    name = _qualified(node.value, file)
    form = name.rpartition(".")[2] if name.startswith(_TYPING) else ""
    inside = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if form == "Optional" and len(inside) == 1:
        return told(inside[0], file, depth + 1)
    if form == "Union":
        return _union(inside, node, file, depth)
    if form == "Literal":
        return _literal(inside, node)
    if form == "Annotated" and len(inside) > 1:
        found = told(inside[0], file, depth + 1)
        texts = [item.value for item in inside[1:] if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        return replace(found, description=" ".join(texts[0].split()) or None) if texts else found
    raise NotTellableError(f"`{_shown(node)}` is no type that a model can be told", node)


def _union(parts: Sequence[ast.expr], node: ast.expr, file: ParsedFile, depth: int) -> Told:
    """One type or none; several only where all of them are texts to choose from."""
    found = [told(part, file, depth + 1) for part in parts if not _is_none(part)]
    if len(found) == 1:
        return found[0]
    if not found or not all(item.choices for item in found):
        raise NotTellableError(f"`{_shown(node)}` is several types, and an argument has one", node)
    choices = dict.fromkeys(choice for item in found for choice in item.choices)
    return Told("string", tuple(choices), next((item.description for item in found if item.description), None))


def _literal(parts: Sequence[ast.expr], node: ast.expr) -> Told:
    choices = []
    for part in parts:
        if not isinstance(part, ast.Constant) or not isinstance(part.value, str | None):
            raise NotTellableError(f"`{_shown(part)}` is no text, and only texts can be chosen from", part)
        if part.value == "":
            raise NotTellableError("an empty text cannot be chosen: it is how a model leaves an argument out", part)
        choices += [part.value] if part.value is not None else []
    if not choices:
        raise NotTellableError(f"`{_shown(node)}` leaves nothing to choose", node)
    return Told("string", tuple(dict.fromkeys(choices)))


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of `a | b | c`, which nests to the left as deep as there are parts."""
    right: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        right.append(node.right)
        node = node.left
    yield node
    yield from reversed(right)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _alias(node: ast.expr, file: ParsedFile) -> ast.expr | None:
    """What `Size = Literal["s", "m"]` at the top level gives its name to, if nothing else has that name."""
    statements = file.bindings.get(node.id, []) if isinstance(node, ast.Name) else []
    if len(statements) != 1 or not isinstance(statements[0], ast.Assign | ast.AnnAssign):
        return None
    statement = statements[0]
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) else statement.targets
    return statement.value if all(isinstance(target, ast.Name) for target in targets) else None


def _qualified(node: ast.expr, file: ParsedFile) -> str:
    """`typing.Literal` for what is imported as such under any name; "" for what is neither imported nor built in."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(filter(None, [_imported(node.id, file), *reversed(names)]))


def _imported(name: str, file: ParsedFile) -> str:
    statements = file.bindings.get(name)
    if not statements:
        return f"builtins.{name}"
    last = statements[-1]
    if isinstance(last, ast.Import):
        aliases = {item.asname or item.name.partition(".")[0]: item.name if item.asname else "" for item in last.names}
        return aliases[name] or name
    if isinstance(last, ast.ImportFrom) and not last.level:
        return next(f"{last.module}.{item.name}" for item in last.names if (item.asname or item.name) == name)
    return f"{name}."  # of the file itself


def _shown(node: ast.expr) -> str:
    try:
        text = ast.unparse(node)
    except RecursionError:
        return "…"
    return text if len(text) <= 60 and "\n" not in text else f"{' '.join(text.split())[:59]}…"
