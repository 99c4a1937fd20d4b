"""What is wrong with parameters, in words: the parameter, its value, what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from kedro_ledger.errors import InputError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Parameters = TypeVar("Parameters", bound=BaseModel)


def validate(block: type[Parameters], raw: dict[str, Any]) -> Parameters:
    """Read a block of parameters.

    Raises:
        InputError: A line for each wrong parameter: its name, its value, and what was expected.
    """
    try:
        return block.model_validate(raw)
    except ValidationError as error:
        faults = [_describe(detail, block) for detail in error.errors(include_url=False)]
        raise InputError(*(f"parameter {fault}" for fault in faults)) from error


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return `; did you mean ...?` with the nearest known name behind a prefix; nothing if none is near."""
    return "".join(f"; did you mean {prefix}{near}?" for near in get_close_matches(name, list(known), n=1))


def _describe(detail: ErrorDetails, block: type[BaseModel]) -> str:
    *path, last = [str(part) for part in detail["loc"] if part != "[key]"] or [""]
    prefix = "".join(f"{part}." for part in path)
    name, value, message = prefix + last, detail["input"], detail["msg"]
    match detail["type"]:
        case "extra_forbidden":
            known = list(_block_at(block, path).model_fields)
            suggestion = did_you_mean(last, known, prefix) or f"; known here: {', '.join(known)}"
            return f"{name} is unknown{suggestion}"
        case "missing":
            return f"{name} is missing"
        case "literal_error":
            options = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            suggestion = did_you_mean(str(value), options)
            return f"{name} is {value!r}: expected one of {', '.join(options)}{suggestion}"
        case "model_type" | "dict_type":
            return f"{name} is {value!r}: expected a block of parameters"
        case "value_error":
            said = message.removeprefix("Value error, ")
            if not last:
                return f"{prefix}{said}"
            return f"{name} {said}" if said.startswith(("is ", "has ")) else f"{name}: {said}"
        case _:
            return f"{name} is {value!r}: {message[0].lower()}{message[1:]}"


def _block_at(block: type[BaseModel], path: list[str]) -> Any:
    """Follow the names of blocks inside blocks, and the numbers or names of those in lists and dicts."""
    annotation: Any = block
    for name in path:
        is_block = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        annotation = annotation.model_fields[name].annotation if is_block else get_args(annotation)[-1]
        if get_origin(annotation) in (Annotated, UnionType):  # a block or None: the block
            annotation = get_args(annotation)[0]
    return annotation
