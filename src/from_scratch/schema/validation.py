"""Blocks of parameters, and how long texts are cut in messages."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of parameters: every name is known, and every value has the type it is said to have."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def shorten(text: str, length: int = 60) -> str:
    """Cut a long text, and mark the cut."""
    return text if len(text) <= length else f"{text[:length]}…"


def list_some(words: Sequence[str], most: int) -> str:
    """Join words by commas; after so many, an ellipsis stands for the others."""
    return ", ".join(words[:most]) + ", …" * (len(words) > most)
