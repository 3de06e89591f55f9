# The table of docs/api.md, from the API's own description. Prints nothing unless it is run.
"""`build_endpoint_table`: `python -m pipekit.api.reference` prints it, a test keeps the page current."""

import sys
from typing import Any

from pipekit.api.openapi import build_openapi


def build_endpoint_table() -> str:
    """One row for each operation: method, path, what it brings, what it gives."""
    lines = ["| | path | brings | gives | |", "|---|---|---|---|---|"]
    for path, operations in build_openapi()["paths"].items():
        for method, operation in operations.items():
            brings = "<br>".join(part for part in (_queries(operation), _body(operation)) if part)
            words = operation.get("description", operation["summary"]).split("\n")[0].replace("|", "or")
            lines.append(f"| {method.upper()} | `{path}` | {brings} | {_success(operation)} | {words} |")
    return "\n".join(lines) + "\n"


def _queries(operation: dict[str, Any]) -> str:
    names = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
    return f"`?{'&'.join(names)}`" if names else ""


def _body(operation: dict[str, Any]) -> str:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return _name(schema)


def _success(operation: dict[str, Any]) -> str:
    status = next(code for code in sorted(operation["responses"]) if code.startswith("2"))
    schema = operation["responses"][status].get("content", {}).get("application/json", {}).get("schema", {})
    return f"{status} {_name(schema)}".strip()


def _name(schema: dict[str, Any]) -> str:
    """The model of a schema as people call it: a list of them, or the name."""
    if "anyOf" in schema:
        return next(filter(None, map(_name, schema["anyOf"])), "")
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if schema.get("type") == "array":
        return f"list of {_name(schema['items']) or schema['items'].get('type', '')}"
    return "object" if schema.get("type") == "object" else ""


if __name__ == "__main__":
    sys.stdout.write(build_endpoint_table())
