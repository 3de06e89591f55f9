# What request and response models have in common. Knows JSON, no noun.
"""`Body` and `partial` for requests, `Answer` for responses, documented errors, and JSON that never fails to encode."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Self, TypeVar, get_type_hints

from fastapi import Path, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from pipekit import fields as told
from pipekit.fields import list_fields
from pipekit.pairs import parse_pairs

LARGEST_ID = 2**63 - 1


class Body(BaseModel):
    """What a request brings: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @classmethod
    def of(cls, record: object) -> Self:
        """The fields of a record that are shown."""
        return cls.model_validate(record)


M = TypeVar("M", bound=BaseModel)


def partial(model: type[M]) -> type[M]:
    """A class decorator: every field may be left out, and is then not among `model_fields_set`."""
    changed: dict[str, Any] = {
        name: (info.rebuild_annotation(), Field(default_factory=lambda: None, description=info.description))
        for name, info in model.model_fields.items()
    }
    base: type[Any] = Body
    made: type[M] = create_model(
        model.__name__, __base__=base, __doc__=model.__doc__, __module__=model.__module__, **changed
    )
    return made


def filled(record: type) -> Callable[[type[M]], type[M]]:
    """A class decorator: the model also gets the fields that `record` tells, where it has none of that name itself.

    A request's fields have bounds and defaults, an answer's are as they are.
    """

    def fill(model: type[M]) -> type[M]:
        build = _build_request_field if issubclass(model, Body) else _build_answer_field
        hints = get_type_hints(record)
        missing = [f for f in list_fields(record) if f.own not in model.model_fields]
        fields: dict[str, Any] = {f.own: build(f, hints[f.own]) for f in missing}
        made: type[M] = create_model(
            model.__name__, __base__=model, __doc__=model.__doc__, __module__=model.__module__, **fields
        )
        return made

    return fill


def _build_request_field(f: told.Field, hint: Any) -> tuple[Any, Any]:
    """A text is a short one, without NUL, unless the model says otherwise."""
    default: Any = ... if f.required else f.default
    if f.kind == "text" and not f.choices:
        text = build_text(f.longest)
        hint = text if hint is str else text | None
    if f.kind == "pairs":
        return str | dict[str, str | int], Field(default, description=f.doc)
    return hint, Field(default, description=f.doc, ge=f.low, le=f.high, gt=f.above)


def _build_answer_field(f: told.Field, hint: Any) -> tuple[Any, Any]:
    if f.kind == "pairs":
        hint = Annotated[dict[str, str], BeforeValidator(_open_pairs)]
    return hint, Field(description=f.doc)


def _open_pairs(value: Any) -> Any:
    return parse_pairs(value) if isinstance(value, str) else value


def get_given(body: Body) -> dict[str, Any]:
    """The fields a request really brought, each as a whole."""
    return {name: value for name, value in body.model_dump().items() if name in body.model_fields_set}


def _refuse_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text cannot hold a NUL character")
    return text


def build_text(longest: int) -> Any:
    """The type of a text of so many characters at most."""
    return Annotated[str, StringConstraints(max_length=longest), AfterValidator(_refuse_nul)]


Text = Annotated[str, StringConstraints(max_length=told.LONGEST_SQL), AfterValidator(_refuse_nul)]
Short = Annotated[str, StringConstraints(max_length=told.LONGEST), AfterValidator(_refuse_nul)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_refuse_nul)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
PathId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The id.")]
Ref = Annotated[str, Path(min_length=1, max_length=200, description="The id, or the name of it.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
BeforeId = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="Go on where a page ended: the id of its last item.")
]


class Problem(BaseModel):
    """What went wrong."""

    code: str = Field(description="The kind of error, stable: NotFound, Invalid, ModuleBusy ...")
    message: str = Field(description="One sentence for a person.")
    hint: str = Field(description="What mends it, if that is known.")
    field: str = Field(description="The field at fault, if there is one.")


class ErrorAnswer(BaseModel):
    """Every error has this form."""

    error: Problem


_MEANINGS = {
    400: "The body cannot be read.",
    401: "Nobody is logged in, or the login is wrong.",
    403: "The role of the user does not include this.",
    404: "There is no such thing.",
    409: "This cannot be done while things are as they are: busy, in use, name taken.",
    413: "The body is too large.",
    422: "A value cannot be accepted.",
    429: "Too many tries in a short time.",
    502: "The database cannot be reached, or failed.",
    503: "The state database cannot be used, or the installation must be mended first.",
}
_COMMON = (401, 403, 404, 409, 422, 429, 503)


# Where the OpenAPI description has the models, and that of every error there. Named as a model of each route, it would
# be built eight hundred times while the server starts.
MODELS = "#/components/schemas/{model}"
_ERROR = {"application/json": {"schema": {"$ref": MODELS.format(model=ErrorAnswer.__name__)}}}


def describe_errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a router for its OpenAPI description."""
    statuses = sorted({*_COMMON, *more})
    return {status: {"content": _ERROR, "description": _MEANINGS[status]} for status in statuses}


def describe_error_models() -> dict[str, Any]:
    """The models that `describe_errors` refers to, by name."""
    schema = ErrorAnswer.model_json_schema(ref_template=MODELS)
    inner: dict[str, Any] = schema.pop("$defs")
    return {**inner, ErrorAnswer.__name__: schema}


class SafeJson(JSONResponse):
    """JSON of texts from anywhere: what is not Unicode (half a surrogate pair) becomes a question mark."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")


ROUTER: dict[str, Any] = {"default_response_class": SafeJson, "responses": describe_errors(400, 413)}
