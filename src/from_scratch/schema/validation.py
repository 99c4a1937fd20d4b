"""Blocks of parameters, and what is wrong with them in words: the parameter, its value, what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Block(BaseModel):
    """A block of parameters: every name is known, and every value has the type it is said to have."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def find_faults(block: type[BaseModel], raw: dict[str, Any]) -> list[str]:
    """Compare parameters with what they must be, and return a phrase for each wrong one."""
    try:
        block.model_validate(raw)
    except ValidationError as error:
        return [_describe(detail, block) for detail in error.errors(include_url=False)]
    return []


def did_you_mean(name: str, known: Sequence[str], prefix: str = "") -> str:
    """Suggest the nearest right name.

    Args:
        name: The wrong one.
        known: The right ones.
        prefix: What stands before them.

    Returns:
        A phrase to end a sentence with; empty if no name is near.
    """
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""


def shorten(text: str, length: int = 60) -> str:
    """Cut a long text, and mark the cut."""
    return text if len(text) <= length else f"{text[:length]}…"


def list_some(words: Sequence[str], most: int) -> str:
    """Join words by commas; after so many, an ellipsis stands for the others."""
    return ", ".join(words[:most]) + ", …" * (len(words) > most)


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
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
    return annotation
