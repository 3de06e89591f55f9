# The JSON Schema of a definition file, built from the table of fields. Knows no YAML and no state.
"""`build_schema` makes it; `python -m pipekit.definitions.schema` prints what `schema.json` must hold."""

import json
import sys
from importlib.resources import files
from typing import Any

from pipekit.definitions.fields import OBJECTS
from pipekit.fields import Field
from pipekit.models import MODULE_NAME

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"text": "string", "flag": "boolean", "whole": "integer", "number": "number"}


def load_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that ships with the package."""
    schema: dict[str, Any] = json.loads(files("pipekit.definitions").joinpath("schema.json").read_text("utf-8"))
    return schema


def build_schema() -> dict[str, Any]:
    """The JSON Schema of a definition file."""
    definitions = {kind: _object(kind) for kind in OBJECTS if kind != "file"}
    return {"$schema": DRAFT, "title": "Pipekit definitions", **_object("file"), "$defs": definitions}


def format_schema() -> str:
    """The text of `schema.json`."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(kind: str) -> dict[str, Any]:
    fields = OBJECTS[kind]
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name: _field(f) for f in fields},
    }
    required = [f.name for f in fields if f.required]
    return schema | ({"required": required} if required else {})


def _field(f: Field) -> dict[str, Any]:
    reference = {"$ref": f"#/$defs/{f.of}"}
    if f.kind == "object":
        schema: dict[str, Any] = {"anyOf": [reference, {"type": "null"}]}
    elif f.kind == "map":
        schema = {"type": ["object", "null"], "additionalProperties": reference}
        if f.of == "module":
            schema["propertyNames"] = {"pattern": f"^{MODULE_NAME.pattern.removesuffix(chr(92) + 'Z')}$"}
    elif f.kind == "list":
        schema = {"type": ["array", "null"], "items": _item(f, reference)}
    elif f.kind == "names":
        # YAML reads 2024 and 1900-01-01 as more than text; the parser takes them as they are written.
        name = {"type": ["string", "number", "boolean"]}
        schema = {"type": [*name["type"], "array", "null"], "items": name}
    elif f.kind == "pairs":
        value = {"type": "integer", "minimum": f.low, "maximum": f.high} if f.high else {"type": "string"}
        names = {"propertyNames": {"pattern": f"^{f.names}$"}} if f.names else {}
        if value["type"] == "string":
            value["pattern"] = f"^{f.pattern}$"
        schema = {"type": ["object", "string", "null"], "additionalProperties": value, **names}
    else:
        schema = _scalar(f)
    default = {} if f.default is None else {"default": f.default}
    return {"description": f.doc, **schema, **default}


def _item(f: Field, reference: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "string"}, reference]} if f.short else reference


def _scalar(f: Field) -> dict[str, Any]:
    if f.choices:
        return {"enum": [*f.choices] if f.required else [*f.choices, None]}
    if f.listed:
        return _listed(f)
    own = _TYPES[f.kind]
    # YAML reads 2024 and 1900-01-01 as more than text; the parser takes them as they are written.
    types = [own, "number", "boolean"] if f.kind == "text" and f.name in ("default", "username") else [own]
    schema: dict[str, Any] = {"type": types if f.required else [*types, "null"]}
    if len(schema["type"]) == 1:
        schema["type"] = own
    bounds = {"minimum": f.low, "maximum": f.high, "exclusiveMinimum": f.above}
    schema |= {name: value for name, value in bounds.items() if value is not None}
    if f.pattern:
        schema["pattern"] = f"^{f.pattern}$"
    if f.kind == "text":
        schema["maxLength"] = f.longest
    if f.required and f.kind == "text":
        schema["minLength"] = 1
    return schema


def _listed(f: Field) -> dict[str, Any]:
    """The text, or the list that it stands for."""
    item: dict[str, Any] = {"type": ["string", "number", "boolean"]}
    items: dict[str, Any] = {"type": "array", "items": item}
    if f.listed == "values":
        more: dict[str, Any] = {"type": "object", "additionalProperties": {"anyOf": [items, item]}}
    elif f.listed == "keys":
        more = {"type": "array", "items": {"anyOf": [item, items]}}
    else:
        more = items
    return {"anyOf": [{"type": ["string", "null"], "maxLength": f.longest}, more]}


if __name__ == "__main__":
    sys.stdout.write(format_schema())
