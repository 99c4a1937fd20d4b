"""The parameters: what may stand in conf/*/parameters.yml and behind `--params`, and what it must be."""

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
"""The other pipelines, and boxes of Kedro-Viz, which stand beside those of the variants."""
COLUMNS = ("feature", "group", "rows", "observed", "baseline")
"""The names that stand beside the variants' in tables."""


NEED_STANDARD = {"initialisation": "article", "constants": "article", "weight_decay": 0.0, "dropout": 0.0}
"""Parameters of a variant that go by the names of a model's coefficients, with what all models take."""


def _check_name(name: object) -> str:
    name = str(name)
    if not name.isidentifier() or name in RESERVED + COLUMNS:
        raise ValueError(
            "is not a name for a variant; expected letters, digits and underscores, no digit first, and not "
            + ", ".join(RESERVED + COLUMNS)
        )
    return name


VariantName = Annotated[str, BeforeValidator(_check_name)]


class Split(Block):
    """How the rows are divided into training rows and validation rows."""

    seed: Seed
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]
    stratify: bool = False
    """Whether both parts have the same share of positive rows, as far as whole rows allow."""


class Variant(Block):
    """A model, and how it is trained."""

    model: str
    seed: Seed
    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=1)]
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[])
    """The sizes of the hidden layers."""
    initialisation: Literal["article", "he"] = "article"
    constants: Literal["article", "unit"] = "article"
    """The article's: none without a hidden layer, else one for a whole layer; or one for each unit."""
    loss: Literal["absolute_error", "squared_error", "cross_entropy"] = "absolute_error"
    optimiser: Literal["gradient_descent", "momentum", "adam"] = "gradient_descent"
    batch_size: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    """How many rows a step looks at; all of them if it is None."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Which share of the hidden units is left out in each step of training."""


class Inference(Block):
    """Which variant predicts new rows, and what becomes of categories that training never saw."""

    variant: str
    unseen_categories: Literal["error", "none_of_them"] = "error"


class Stability(Block):
    """The study `kedro run --pipeline stability`: which variants, from how many seeds, on how many splits."""

    variants: Literal["all"] | list[str] = "all"
    # An interval needs two of each. Of splits, each is a step of the pipeline for each variant.
    seeds: Annotated[int, Field(ge=2, le=1_000_000)] = 200
    splits: Annotated[int, Field(ge=2, le=1_000)] = 5
    reference: str | None = None
    """What the others are compared with; the first variant if it is None."""

    @field_validator("variants", mode="before")
    @classmethod
    def _all_or_a_list(cls, value: object) -> object:
        expected = "expected all, or a list of variants"
        if value != "all" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
            raise ValueError(f"is {value!r}; {expected}")
        if isinstance(value, list) and len(set(value)) < max(len(value), 1):
            raise ValueError(f"is {value!r}; {expected}, at least one and each once")
        return value


class Parameters(Block):
    """All parameters, as parameters.yml has them. The ledger's block `runs` may be left out."""

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
    def _no_null_and_no_misspelt_variant(cls, value: object) -> object:
        """Leave out what an environment sets to null.

        And report a block that only a misspelt `--params` can have made, with the name that was meant.
        """
        if not isinstance(value, dict):
            return value
        value = {name: block for name, block in value.items() if block is not None}
        if not value:
            raise ValueError("has no variant; expected at least one that is not null")
        blocks = value.items()
        named = [str(name) for name, block in blocks if isinstance(block, dict) and "model" in block]
        for name in (str(name) for name, block in blocks if isinstance(block, dict) and "model" not in block):
            if suggestion := did_you_mean(name, named, "variants."):
                raise ValueError(f"has {name!r}, which has no model{suggestion}")
        return value

    @property
    def without_constants(self) -> list[str]:
        """The variants without a constant for each unit, on features that need it."""
        if self.features.categorical:
            return []
        return [name for name, variant in self.variants.items() if variant.constants != "unit"]

    @property
    def studied(self) -> list[str]:
        """The variants that the study trains, its reference too, in the order of the configuration."""
        chosen = self.stability.variants
        reference = self.stability.reference or next(iter(self.variants))
        return [name for name in self.variants if chosen == "all" or name in (*chosen, reference)]


def read(config_loader: AbstractConfigLoader) -> Parameters:
    """Read all parameters, and check them.

    Raises:
        InputError: If they can't be read, or one of them is wrong.
    """
    _require_environment(config_loader.conf_source, config_loader.env)
    try:
        raw: dict[str, Any] = config_loader["parameters"]
    except Exception as error:  # those of YAML, OmegaConf and Kedro have little in common
        conf = os.path.relpath(config_loader.conf_source)
        changes = f" and --params {config_loader.runtime_params}" if config_loader.runtime_params else ""
        origin = f"{conf}/base, {conf}/{config_loader.env or 'local'}{changes}"
        raise InputError(f"the parameters can't be read from {origin}: {error}") from error
    return check(raw)


def _require_environment(conf: str | Path, name: str | None) -> None:
    """Require an environment of that name, if it can be seen from here; Kedro goes on without."""
    if not name or not os.path.isdir(conf):
        return
    folder = os.path.join(conf, name)
    if not os.path.isdir(folder):
        known = sorted(entry.name for entry in os.scandir(conf) if entry.is_dir())
        raise InputError(
            f"there is no environment {name}: no folder {os.path.relpath(folder)}; "
            f"there are {', '.join(known)}{did_you_mean(name, known)}"
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"environment {name}: {os.path.relpath(folder)} can't be read; expected permission")


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
    """Find where a variant is named that there is not."""
    study, known = parameters.stability, list(parameters.variants)
    chosen = [] if study.variants == "all" else study.variants
    named = [("inference.variant is", parameters.inference.variant)]
    named += [("stability.variants has", name) for name in chosen]
    named += [("stability.reference is", study.reference)] if study.reference is not None else []
    for what, name in named:
        if name not in known:
            hint = ", which is null" if name in null else ""
            meant = "" if name in null else did_you_mean(name, known)
            yield f"{what} {name!r}{hint}: expected one of {', '.join(known)}{meant}"


def _find_unsuitable_models(parameters: Parameters) -> Iterator[str]:
    """Find variants whose model, or number of hidden layers, is not one that there is."""
    from from_scratch.models import MODELS  # loads PyTorch: a fault elsewhere is reported sooner without

    for name, variant in parameters.variants.items():
        if variant.model not in MODELS:
            expected = f"expected one of {', '.join(MODELS)}{did_you_mean(variant.model, list(MODELS))}"
            yield f"variants.{name}.model is {variant.model!r}: {expected}"
            continue
        model = MODELS[variant.model]
        fewest, most = model.min_hidden, model.max_hidden
        if not fewest <= len(variant.hidden) <= (len(variant.hidden) if most is None else most):
            layers = f"the size of {'its one' if most == 1 else 'each'} hidden layer"
            expected = "none" if most == 0 else layers
            yield f"variants.{name}.hidden is {variant.hidden}: model {variant.model} expects {expected}"
        if variant.loss == "cross_entropy" and not model.ends_in_sigmoid:
            expected = f"model {variant.model} ends in none; expected absolute_error or squared_error"
            yield f"variants.{name}.loss is cross_entropy, which needs a sigmoid: {expected}"
        if variant.dropout and most == 0:
            expected = f"model {variant.model} has no hidden layer; expected 0"
            yield f"variants.{name}.dropout is {variant.dropout}: {expected}"
        if variant.learning_rate * variant.weight_decay >= 1:
            yield (
                f"variants.{name}.weight_decay is {variant.weight_decay}: times learning_rate "
                f"{variant.learning_rate} it takes all of a weight in a step; expected a product below 1"
            )
        if not model.is_standard:
            for parameter, default in NEED_STANDARD.items():
                if (value := getattr(variant, parameter)) != default:
                    expected = f"model {variant.model} is not marked is_standard; expected {default}"
                    yield f"variants.{name}.{parameter} is {value}: {expected}"
