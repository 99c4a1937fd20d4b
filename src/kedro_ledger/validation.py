"""Validation of parameters, with messages that name the parameter, its value and what was expected."""

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
    """Return `; did you mean ...?` with a prefix and the most similar known name, or an empty text."""
    return "".join(f"; did you mean {prefix}{near}?" for near in get_close_matches(name, list(known), n=1))


def _describe(detail: ErrorDetails, block: type[BaseModel]) -> str:
    *path, last = [str(part) for part in detail["loc"] if part != "[key]"] or [""]
    prefix = "".join(f"{part}." for part in path)
    name, value, message = prefix + last, detail["input"], detail["msg"]
    match detail["type"]:
        case "extra_forbidden":
            known = list(_block_at(block, path).model_fields)
            suggestion = did_you_mean(last, known, prefix) or f"; expected one of {', '.join(known)}"
            return f"{name} is unknown{suggestion}"
        case "missing":
            return f"{name} is missing"
        case "literal_error":
            options = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            suggestion = did_you_mean(str(value), options)
            return f"{name} is {value!r}; expected one of {', '.join(options)}{suggestion}"
        case "model_type" | "dict_type":
            return f"{name} is {value!r}; expected a block of parameters"
        case "value_error":
            reason = message.removeprefix("Value error, ")
            if not last:
                return f"{prefix}{reason}"
            return f"{name} {reason}" if reason.startswith(("is ", "has ")) else f"{name}: {reason}"
        case _:
            return f"{name} is {value!r}; {_rephrase(message)}"


def _rephrase(message: str) -> str:
    """Rephrase a message of Pydantic, such as `Input should be a valid list` as `expected a valid list`."""
    subject, should, predicate = message.replace(" after validation", "").partition(" should ")
    if not should:
        return f"{message[0].lower()}{message[1:]}"
    if predicate.startswith("have "):
        return f"expected a {subject.lower()} with {predicate.removeprefix('have ')}"
    if subject != "Input" or not predicate.startswith("be "):
        return f"expected {subject.lower()} to {predicate}"
    expected = predicate.removeprefix("be ")
    is_limit = expected.startswith(("greater", "less"))
    return f"expected {'a number ' if is_limit else ''}{expected}"


def _block_at(block: type[BaseModel], path: list[str]) -> Any:
    """Follow a path of names of blocks, list indices and dictionary keys to the block at its end."""
    annotation: Any = block
    for name in path:
        is_block = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        annotation = annotation.model_fields[name].annotation if is_block else get_args(annotation)[-1]
        if get_origin(annotation) in (Annotated, UnionType):  # of `Block | None`, take the block
            annotation = get_args(annotation)[0]
    return annotation
