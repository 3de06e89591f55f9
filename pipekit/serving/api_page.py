# The API's own page, drawn from its description without anything from elsewhere. Knows routes only by that description.
"""`/api/docs`, to which `/api` leads."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from pipekit.api.openapi import build_openapi
from pipekit.http.state import ContextDep
from pipekit.web.kit.render import render, render_piece
from pipekit.web.kit.sessions import Viewer

router = APIRouter(include_in_schema=False)

_MODEL = "#/components/schemas/"
_BOUNDS = (("minimum", "from {}"), ("maximum", "to {}"), ("maxLength", "at most {} characters"))
# Bounds that only say how large a number of a database may be.
_ENDLESS = 2.0**53


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A field of a model, or a value in an address: what it holds, and what of it."""

    name: str
    holds: str
    model: str
    required: bool
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """A method of an address; `brings` and `gives` are names of models, "" where there is none."""

    method: str
    path: str
    anchor: str
    words: str
    parameters: tuple[Parameter, ...]
    brings: str
    gives: str
    status: str
    errors: tuple[tuple[str, str], ...]


@router.get("/api")
def lead_to_docs() -> Response:
    """Whoever types the beginning of an address gets to what there is."""
    return RedirectResponse("/api/docs", 307)


@router.get("/api/docs")
def show_docs(request: Request, user: Viewer, context: ContextDep) -> Response:
    """Every operation with what it brings and gives, and every model."""
    return render(request, "api_docs.html", parts=_draw(), base=context.config.base_url)


@cache
def _draw() -> Markup:
    document = build_openapi()
    models = [
        (name, schema.get("description", ""), list(_list_fields(schema)))
        for name, schema in sorted(document["components"]["schemas"].items())
    ]
    return render_piece("_api_docs.html", nouns=_group(document), models=models)


def _group(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """The operations of each noun, in the order of the description."""
    nouns: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            nouns.setdefault(operation["tags"][0], []).append(_build_operation(path, method, operation))
    return nouns


def _build_operation(path: str, method: str, operation: dict[str, Any]) -> Operation:
    status = next(code for code in sorted(operation["responses"]) if code.startswith("2"))
    answers, given = operation["responses"], operation.get("parameters", ())
    return Operation(
        method=method.upper(),
        path=path,
        anchor=operation["operationId"],
        words=operation.get("description", operation["summary"]),
        parameters=tuple(_build_parameter(item["name"], item, item.get("required", False)) for item in given),
        brings=_find_model(_get_schema(operation.get("requestBody", {}))),
        gives=_find_model(_get_schema(answers[status])),
        status=status,
        errors=tuple((code, answer["description"]) for code, answer in answers.items() if not code.startswith("2")),
    )


def _get_schema(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = content.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _list_fields(schema: dict[str, Any]) -> Iterator[Parameter]:
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield _build_parameter(name, {"schema": field, "description": field.get("description", "")}, name in needed)


def _build_parameter(name: str, item: dict[str, Any], required: bool) -> Parameter:
    schema = item["schema"]
    bounds = [words.format(f"{schema[key]:g}") for key, words in _BOUNDS if abs(schema.get(key, _ENDLESS)) < _ENDLESS]
    default = schema.get("default")
    told = [f"{default!s} unless given" if default is not None and default != "" else "", *bounds]
    words = "; ".join(filter(None, [item.get("description", "").rstrip("."), *told]))
    return Parameter(name=name, holds=_tell_type(schema), model=_find_model(schema), required=required, words=words)


def _tell_type(schema: dict[str, Any]) -> str:
    """What a value is, in a word or two."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_tell_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(_MODEL))
    if schema.get("type") == "array":
        return f"list of {_tell_type(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def _find_model(schema: dict[str, Any]) -> str:
    """The model that a schema is, or is a list of; "" where it is none."""
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(_MODEL))
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return next(filter(None, map(_find_model, inner)), "")
