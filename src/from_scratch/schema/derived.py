"""The block of parameters that makes new columns of those in the file, from what is known of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from from_scratch.schema.validation import Block, shorten

Name = Annotated[str, Field(min_length=1)]


def surround(pattern: str) -> str:
    """Let a pattern match a whole text, from the first place on where it matches."""
    return rf"(?s:\A.*?)(?:{pattern})(?s:.*\z)"


def _check_pattern(pattern: str) -> str:
    from pyarrow import compute  # a tenth of a second: most projects derive nothing

    try:
        compute.match_substring_regex("", pattern=pattern)
        compute.replace_substring_regex("", pattern=surround(pattern), replacement=r"\1")
    except ValueError as error:  # a pattern that is none, that can't be encoded, or that has no group
        reason = str(error).splitlines()[0].removeprefix("Invalid regular expression: ")
        if "Rewrite schema" in reason:
            reason = "it has no group"
        raise ValueError(
            f"is {shorten(repr(pattern))}: {shorten(reason)}; expected a regular expression of RE2 with a "
            "group in parentheses"
        ) from error
    return pattern


class Extract(Block):
    """The first group of a regular expression; missing where it doesn't match, or the group is empty."""

    of: Name
    pattern: Annotated[str, AfterValidator(_check_pattern)]
    """In the syntax of RE2, whose time grows with the text's length alone: it has no look-around and no
    back-references."""
    mapping: dict[str, str] = Field(default={})
    """Other words for some of the texts that are found."""
    keep: list[str] = Field(default=[])
    """The texts that stay, after the mapping; if there are none, all do."""
    other: str | None = None
    """What the others become; missing, if nothing is said."""

    @model_validator(mode="after")
    def _others_are_those_not_kept(self) -> Extract:
        if self.other is not None and not self.keep:
            raise ValueError(f"has other, {shorten(repr(self.other))}, without keep; expected both, or none")
        return self


class Sum(Block):
    """The sum of columns of numbers and a constant; missing where one of them is."""

    of: Annotated[list[Name], Field(min_length=1)]
    plus: float = 0


class Count(Block):
    """How many rows share the row's value: itself, and the other rows that counts are learnt from."""

    of: Name


class IsKnown(Block):
    """Whether there is a value: 1 or 0."""

    of: Name


class Derived(Block):
    """A new column, made of columns of the file in one of four ways."""

    column: Name
    extract: Extract | None = None
    sum: Sum | None = None
    count: Count | None = None
    is_known: IsKnown | None = None

    @model_validator(mode="after")
    def _is_made_in_one_way(self) -> Derived:
        kinds = {"extract": self.extract, "sum": self.sum, "count": self.count, "is_known": self.is_known}
        given = [kind for kind, way in kinds.items() if way is not None]
        if len(given) != 1:
            raise ValueError(f"has {' and '.join(given) or 'none'}; expected one of {', '.join(kinds)}")
        return self

    @property
    def way(self) -> Extract | Sum | Count | IsKnown:
        """The one way in which the column is made."""
        way = self.extract or self.sum or self.count or self.is_known
        assert way is not None
        return way

    @property
    def sources(self) -> list[str]:
        """The columns of the file that it is made of."""
        return [self.way.of] if isinstance(self.way.of, str) else self.way.of
