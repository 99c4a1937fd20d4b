"""The parameters `features`: what each column of the data is, and how it is prepared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from from_scratch.schema.derived import Count, Derived, Name, Sum
from from_scratch.schema.validation import Block

Value = bool | int | float | str
MAX_MAGNITUDE = 1e38
"""Maximum magnitude of a number: a little less than the maximum of float32."""
T = TypeVar("T")


def text_of(value: object) -> str:
    """Return a value, of Python or numpy, as the name of a category: whole numbers without decimals.

    A CSV has no types: 1 is the same category if it is read as a number, as text, or as 1.0 because another
    value of the column is missing.
    """
    item = getattr(value, "item", None)
    plain = item() if callable(item) else value
    return str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain)


def _check_value(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"is {value!r}; expected text, a number, true or false")
    if isinstance(value, int | float) and not abs(value) <= MAX_MAGNITUDE:
        raise ValueError(f"is {value!r}; expected a number of at most {MAX_MAGNITUDE:g}")
    return value


def _check_categories(value: Any) -> Any:
    if value == "auto":
        return value
    if not isinstance(value, list) or not value:
        raise ValueError(f"is {value!r}; expected auto, or a list of categories in order")
    if duplicate := find_duplicate([text_of(_check_value(category)) for category in value]):
        raise ValueError(f"has {duplicate} twice; expected each category once")
    return value


def _block_of(value: Any) -> Any:
    """Turn a column's name into a block."""
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, dict | Block):
        raise ValueError(f"is {value!r}; expected a column name, or a block with `column`")
    return value


Constant = Annotated[Value | None, PlainValidator(_check_value)]
ByName = BeforeValidator(_block_of)


class Column(Block):
    """A column that the models see. By default, its missing values are filled with the mode."""

    column: Name
    fill: Literal["mode", "median", "mean"] = "mode"
    constant: Constant = None
    """Value that fills missing values, instead of `fill`."""
    required: bool = False
    """Whether a missing value is an error."""

    @model_validator(mode="after")
    def _require_one_way_to_fill(self) -> Column:
        given = [name for name in ("fill", "constant") if name in self.model_fields_set]
        given += ["required"] if self.required else []
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; expected at most one of them")
        return self


class NumberColumn(Column):
    """A column of numbers."""

    minimum: float | None = None
    maximum: float | None = None

    @model_validator(mode="after")
    def _require_constant_in_range(self) -> NumberColumn:
        constant = self.constant
        if constant is not None:
            if isinstance(constant, str):
                raise ValueError(f"constant is {constant!r}; expected a number")
            low, high = self.minimum, self.maximum
            if (low is not None and constant < low) or (high is not None and constant > high):
                raise ValueError(f"constant is {constant!r}; expected a number {self.range}")
        return self

    @property
    def range(self) -> str:
        """The range in words; empty if there are no limits."""
        bounds = [(self.minimum, "at least"), (self.maximum, "at most")]
        return " and ".join(f"of {words} {bound:g}" for bound, words in bounds if bound is not None)


class LogColumn(NumberColumn):
    """A column of numbers of at least 0, which the models see as ln(x + 1)."""

    minimum: Annotated[float, Field(ge=0)] = 0


class CategoricalColumn(Column):
    """A column of categories: each becomes a dummy, a feature of zeros and ones."""

    categories: Annotated[list[Value] | Literal["auto"], PlainValidator(_check_categories)] = "auto"
    """The categories in order; `auto` learns them from the data and sorts them."""

    @model_validator(mode="after")
    def _require_fill_that_is_a_category(self) -> CategoricalColumn:
        if self.fill in ("median", "mean"):
            raise ValueError(
                f"fill is {self.fill}; expected mode, or a constant, since categories have no {self.fill}"
            )
        declared = self.declared
        if declared and self.constant is not None and text_of(self.constant) not in declared:
            raise ValueError(f"constant is {self.constant!r}; expected one of {', '.join(declared)}")
        return self

    @property
    def declared(self) -> list[str]:
        """The names of the declared categories; empty if they are learnt."""
        return [] if isinstance(self.categories, str) else [text_of(value) for value in self.categories]


class Target(Block):
    """The column to predict, and which of its two values means yes."""

    column: Name
    positive: Annotated[Value, PlainValidator(_check_value)]


class Features(Block):
    """What each column is. The models see, in this order: continuous, log, and one dummy per category."""

    identifier: Name | None = None
    target: Target
    continuous: list[Annotated[NumberColumn, ByName]] = Field(default=[])
    log: list[Annotated[LogColumn, ByName]] = Field(default=[])
    categorical: list[Annotated[CategoricalColumn, ByName]] = Field(default=[])
    ignore: list[Name] = Field(default=[])
    """Columns to ignore without a warning."""
    derived: list[Derived] = Field(default=[])
    """New columns, computed from those in the file; the lists above may name them like any column."""
    normalisation: Literal["maximum", "deviation"] = "maximum"
    """Whether to divide numbers by their maximum magnitude, or to subtract the mean and divide by the
    standard deviation."""
    fit_on: Literal["all", "train"] = "all"
    """The rows that fill values, categories and scales are learnt from."""

    @model_validator(mode="after")
    def _require_each_column_once(self) -> Features:
        identifier = [self.identifier] if self.identifier else []
        columns = [*identifier, self.target.column, *(column.column for column in self.columns), *self.ignore]
        if duplicate := find_duplicate(columns):
            raise ValueError(f"column {duplicate} appears twice; expected each column once")
        if self.identifier == "score" or (not self.identifier and self.target.column == "row"):
            name = self.identifier or self.target.column
            raise ValueError(f"column {name} would clash with one of the predictions; expected another name")
        if not self.columns:
            raise ValueError("there are no features; expected at least one column besides the target")
        declared = {column.column: column.declared for column in self.categorical}
        if duplicate := find_duplicate(self.names(declared)):
            raise ValueError(f"two features would be named {duplicate}; expected each name once")
        return self

    @model_validator(mode="after")
    def _require_derived_from_file(self) -> Features:
        names = [derived.column for derived in self.derived]
        if duplicate := find_duplicate(names):
            raise ValueError(f"derived column {duplicate} appears twice; expected each column once")
        for name in (self.identifier, self.target.column):
            if name in names:
                raise ValueError(
                    f"column {name} is derived; expected the identifier and the target in the file"
                )
        for derived in self.derived:
            if chained := [name for name in derived.sources if name in names]:
                raise ValueError(
                    f"derived column {derived.column} is computed from {chained[0]}, which is also derived; "
                    "expected columns of the file"
                )
            if self.target.column in derived.sources:
                raise ValueError(
                    f"derived column {derived.column} is computed from the target, {self.target.column}, "
                    "which new rows lack; expected other columns"
                )
        return self

    @property
    def columns(self) -> list[Column]:
        """The columns that the models see."""
        return [*self.continuous, *self.log, *self.categorical]

    @property
    def number_columns(self) -> list[str]:
        """The columns that the models see as numbers."""
        return [column.column for column in (*self.continuous, *self.log)]

    @property
    def _ways(self) -> list[object]:
        return [derived.way for derived in self.derived]

    @property
    def sources(self) -> list[str]:
        """The columns of the file that others are derived from, without duplicates."""
        return list(dict.fromkeys(name for derived in self.derived for name in derived.sources))

    @property
    def summed(self) -> list[str]:
        """The source columns of sums, which must be numbers."""
        return list(dict.fromkeys(name for way in self._ways if isinstance(way, Sum) for name in way.of))

    @property
    def counted(self) -> list[str]:
        """The source columns of counts."""
        return list(dict.fromkeys(way.of for way in self._ways if isinstance(way, Count)))

    @property
    def number_names(self) -> list[str]:
        """The names of the features that are numbers rather than dummies."""
        return [
            *(column.column for column in self.continuous),
            *(f"Log{column.column}" for column in self.log),
        ]

    def names(self, categories: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the names of all features, in the models' order, given the categories of each column."""
        dummies = [
            f"{column.column}_{category}"
            for column in self.categorical
            for category in categories[column.column]
        ]
        return [*self.number_names, *dummies]


def find_duplicate(names: Iterable[T]) -> T | None:
    """Return the first name that appears twice, or None."""
    seen: set[T] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
