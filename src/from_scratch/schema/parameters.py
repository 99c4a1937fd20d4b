"""The parameters in conf/*/parameters.yml and `--params`: names, types, defaults and checks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from kedro.config import AbstractConfigLoader
from pydantic import BeforeValidator, Field, field_validator

from from_scratch.schema.features import Features
from from_scratch.schema.validation import Block
from kedro_ledger.errors import InputError
from kedro_ledger.settings import Settings
from kedro_ledger.validation import did_you_mean, validate

Precision = Literal["float32", "float64"]
Seed = Annotated[int, Field(ge=0, lt=2**63)]

RESERVED = ("__default__", "data_processing", "reporting", "stability", "inference", "practice")
"""Names of other pipelines and of boxes in Kedro-Viz, which variants cannot have."""
RESERVED_COLUMNS = ("feature", "group", "rows", "observed", "baseline")
"""Names of other columns in tables with a column for each variant."""

NEED_STANDARD = {"initialisation": "article", "constants": "article", "weight_decay": 0.0, "dropout": 0.0}
"""Parameters of a variant that need a standard model, and the values that every model accepts."""


def _check_name(name: object) -> str:
    name = str(name)
    if not name.isidentifier() or name in RESERVED + RESERVED_COLUMNS:
        raise ValueError(
            "is not a name for a variant; expected letters, digits and underscores, not starting with a "
            "digit, and none of " + ", ".join(RESERVED + RESERVED_COLUMNS)
        )
    return name


VariantName = Annotated[str, BeforeValidator(_check_name)]


class Split(Block):
    """How rows are split into training rows and validation rows."""

    seed: Seed
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    stratify: bool = False
    """Whether both parts have the same share of positive rows, up to rounding to whole rows."""


class Variant(Block):
    """A model, and how to train it."""

    model: str
    seed: Seed
    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=1)]
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[])
    """The sizes of the hidden layers."""
    initialisation: Literal["article", "he"] = "article"
    constants: Literal["article", "unit"] = "article"
    """The article's constants, none or one for a whole layer; or a bias for each unit."""
    loss: Literal["absolute_error", "squared_error", "cross_entropy"] = "absolute_error"
    optimiser: Literal["gradient_descent", "momentum", "adam"] = "gradient_descent"
    batch_size: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    """Number of rows per step; None for all rows."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the hidden units to drop in each step of training."""


class Inference(Block):
    """Which variant predicts new rows, and how to treat categories that training has not seen."""

    variant: str
    unseen_categories: Literal["error", "none_of_them"] = "error"


class Stability(Block):
    """The study `kedro run --pipeline stability`: which variants, how many seeds, how many splits."""

    variants: Literal["all"] | list[str] = "all"
    # An interval needs at least two of each. Splits are limited because each is a node for each variant.
    seeds: Annotated[int, Field(ge=2, le=1_000_000)] = 200
    splits: Annotated[int, Field(ge=2, le=1_000)] = 5
    reference: str | None = None
    """The variant that the others are compared with; None for the first."""

    @field_validator("variants", mode="before")
    @classmethod
    def _require_all_or_list(cls, value: object) -> object:
        expected = "expected all, or a list of variants"
        if value != "all" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
            raise ValueError(f"is {value!r}; {expected}")
        if isinstance(value, list) and len(set(value)) < max(len(value), 1):
            raise ValueError(f"is {value!r}; {expected}, at least one, each once")
        return value


class Parameters(Block):
    """All parameters. The ledger's block `runs` is optional."""

    features: Features
    split: Split
    threads: Annotated[int, Field(ge=1, le=1024)]
    precision: Precision
    inference: Inference
    stability: Stability
    runs: Settings = Settings()
    variants: dict[VariantName, Variant]

    @field_validator("variants", mode="before")
    @classmethod
    def _drop_null_and_require_models(cls, value: object) -> object:
        """Drop variants that are null, and reject a variant without a model if its name looks misspelt.

        An environment removes a variant by setting it to null. A misspelt `--params` creates a variant
        without a model.
        """
        if not isinstance(value, dict):
            return value
        value = {name: block for name, block in value.items() if block is not None}
        if not value:
            raise ValueError("has no variant; expected at least one variant that is not null")
        blocks = value.items()
        named = [str(name) for name, block in blocks if isinstance(block, dict) and "model" in block]
        for name in (str(name) for name, block in blocks if isinstance(block, dict) and "model" not in block):
            if suggestion := did_you_mean(name, named, "variants."):
                raise ValueError(f"has {name!r}, which has no model{suggestion}")
        return value

    @property
    def without_constants(self) -> list[str]:
        """The variants without unit biases, if there are no dummies that could act as a constant."""
        if self.features.categorical:
            return []
        return [name for name, variant in self.variants.items() if variant.constants != "unit"]

    @property
    def studied(self) -> list[str]:
        """The variants that the study trains, the reference included, in the order of the configuration."""
        chosen = self.stability.variants
        reference = self.stability.reference or next(iter(self.variants))
        return [name for name in self.variants if chosen == "all" or name in (*chosen, reference)]


def read(config_loader: AbstractConfigLoader) -> Parameters:
    """Read and check all parameters.

    Raises:
        InputError: If the parameters cannot be read, or one is wrong.
    """
    _require_environment(config_loader.conf_source, config_loader.env)
    try:
        raw: dict[str, Any] = config_loader["parameters"]
    except Exception as error:  # YAML, OmegaConf and Kedro raise errors of unrelated types
        conf = os.path.relpath(config_loader.conf_source)
        changes = f" and --params {config_loader.runtime_params}" if config_loader.runtime_params else ""
        origin = f"{conf}/base, {conf}/{config_loader.env or 'local'}{changes}"
        raise InputError(f"the parameters could not be read from {origin}: {error}") from error
    return check(raw)


def _require_environment(conf: str | Path, name: str | None) -> None:
    """Require the environment's folder, if `conf` is a local folder; Kedro ignores a missing one."""
    if not name or not os.path.isdir(conf):
        return
    folder = os.path.join(conf, name)
    if not os.path.isdir(folder):
        known = sorted(entry.name for entry in os.scandir(conf) if entry.is_dir())
        raise InputError(
            f"environment {name} has no folder {os.path.relpath(folder)}; "
            f"expected one of {', '.join(known)}{did_you_mean(name, known)}"
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(
            f"environment {name}: {os.path.relpath(folder)} could not be read; expected read permission"
        )


def check(raw: dict[str, Any]) -> Parameters:
    """Check all parameters at once.

    Raises:
        InputError: A line for each wrong parameter: its name, its value, and what was expected.
    """
    parameters = validate(Parameters, raw)
    blocks = raw.get("variants")
    null = {name for name, block in blocks.items() if block is None} if isinstance(blocks, dict) else set()
    if faults := [*_find_unknown_variants(parameters, null)] or [*_find_unsuitable_models(parameters)]:
        raise InputError(*(f"parameter {fault}" for fault in faults))
    return parameters


def _find_unknown_variants(parameters: Parameters, null: set[str]) -> Iterator[str]:
    """Report parameters that name a variant which does not exist."""
    study, known = parameters.stability, list(parameters.variants)
    chosen = [] if study.variants == "all" else study.variants
    named = [("inference.variant is", parameters.inference.variant)]
    named += [("stability.variants has", name) for name in chosen]
    named += [("stability.reference is", study.reference)] if study.reference is not None else []
    for parameter, name in named:
        if name not in known:
            hint = ", which is null" if name in null else ""
            suggestion = "" if name in null else did_you_mean(name, known)
            yield f"{parameter} {name!r}{hint}; expected one of {', '.join(known)}{suggestion}"


def _find_unsuitable_models(parameters: Parameters) -> Iterator[str]:
    """Report variants whose model does not exist, or does not support the other parameters."""
    from from_scratch.models import MODELS  # loads PyTorch, which other errors need not wait for

    for name, variant in parameters.variants.items():
        if variant.model not in MODELS:
            expected = f"expected one of {', '.join(MODELS)}{did_you_mean(variant.model, list(MODELS))}"
            yield f"variants.{name}.model is {variant.model!r}; {expected}"
            continue
        model = MODELS[variant.model]
        fewest, most = model.min_hidden, model.max_hidden
        if not fewest <= len(variant.hidden) <= (len(variant.hidden) if most is None else most):
            layers = f"the size of {'one' if most == 1 else 'each'} hidden layer"
            expected = "[]" if most == 0 else layers
            yield f"variants.{name}.hidden is {variant.hidden}; expected {expected} for model {variant.model}"
        if variant.loss == "cross_entropy" and not model.ends_in_sigmoid:
            reason = f"since model {variant.model} does not end in a sigmoid"
            yield f"variants.{name}.loss is cross_entropy; expected absolute_error or squared_error, {reason}"
        if variant.dropout and most == 0:
            expected = f"expected 0, since model {variant.model} has no hidden layer"
            yield f"variants.{name}.dropout is {variant.dropout}; {expected}"
        if variant.learning_rate * variant.weight_decay >= 1:
            yield (
                f"variants.{name}.weight_decay is {variant.weight_decay}; expected a product below 1 with "
                f"learning_rate {variant.learning_rate}, since each step shrinks the weights by that share"
            )
        if not model.is_standard:
            for parameter, default in NEED_STANDARD.items():
                if (value := getattr(variant, parameter)) != default:
                    expected = f"expected {default}, since model {variant.model} is not marked is_standard"
                    yield f"variants.{name}.{parameter} is {value}; {expected}"
