"""The parameters: what may stand in conf/*/parameters.yml and behind `--params`, and what it must be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from kedro.config import AbstractConfigLoader
from pydantic import Field, field_validator

from from_scratch.schema.features import Features
from from_scratch.schema.validation import Block, did_you_mean, find_faults
from kedro_ledger.errors import InputError
from kedro_ledger.settings import Settings

Precision = Literal["float32", "float64"]
Seed = Annotated[int, Field(ge=0, lt=2**63)]

TAKEN = ("__default__", "data_processing", "reporting", "stability", "feature", "group", "rows", "observed")
"""Names that no variant can have: those of other pipelines, and of columns that stand beside variants."""

NAMING = f"a variant's name is of letters, digits and underscores, no digit first, and not {', '.join(TAKEN)}"


class Split(Block):
    """How the rows are divided into those that train and those that validate."""

    seed: Seed
    validation_fraction: Annotated[float, Field(gt=0, lt=1)]


class Variant(Block):
    """A model, and how it is trained."""

    model: str
    seed: Seed
    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=1)]
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[])


class Inference(Block):
    """How new rows are answered: by which variant, and what becomes of categories that training never saw."""

    variant: str
    unseen_categories: Literal["error", "none_of_them"] = "error"


class Stability(Block):
    """The study `kedro run --pipeline stability`: which variants, from how many seeds, on how many splits."""

    variants: Literal["all"] | list[str] = "all"
    # An interval needs two of each. Of splits, each is a step of the pipeline for each variant.
    seeds: Annotated[int, Field(ge=2, le=1_000_000)] = 200
    splits: Annotated[int, Field(ge=2, le=1_000)] = 5
    reference: str | None = None
    """What the others are held against; none for the first variant."""

    @field_validator("variants", mode="before")
    @classmethod
    def _all_or_a_list(cls, value: object) -> object:
        expected = "expected all, or a list of variants"
        if value != "all" and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise ValueError(f"is {value!r}; {expected}")
        if isinstance(value, list) and len(set(value)) < max(len(value), 1):
            raise ValueError(f"is {value!r}; {expected}, at least one and each once")
        return value


class Parameters(Block):
    """All parameters but the variants, which are top-level blocks of any name that say `model:`."""

    features: Features
    split: Split
    threads: Annotated[int, Field(ge=1, le=1024)]
    precision: Precision
    inference: Inference
    stability: Stability = Stability()
    runs: Settings = Settings()


def read(config_loader: AbstractConfigLoader) -> dict[str, Any]:
    """Read all parameters, and check them.

    Args:
        config_loader: Where they stand, with what `--params` changes.

    Returns:
        The parameters as they stand there.

    Raises:
        InputError: If they can't be read, or one of them is wrong.
    """
    _check_environment(config_loader.conf_source, config_loader.env)
    try:
        raw: dict[str, Any] = config_loader["parameters"]
    except Exception as error:  # those of YAML, OmegaConf and Kedro have little in common
        conf = os.path.relpath(config_loader.conf_source)
        changes = f" and --params {config_loader.runtime_params}" if config_loader.runtime_params else ""
        origin = f"{conf}/base, {conf}/{config_loader.env or 'local'}{changes}"
        raise InputError(f"the parameters can't be read from {origin}: {error}") from error
    check(raw)
    return raw


def _check_environment(conf: str | Path, name: str | None) -> None:
    """See that there is an environment of that name, if it can be seen from here; Kedro goes on without."""
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


def variants(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Find the variants among the top-level blocks.

    Args:
        raw: The parameters as they stand in the configuration.

    Returns:
        The blocks that name a model, in their order, unchecked.
    """
    return {
        name: block
        for name, block in raw.items()
        if name not in Parameters.model_fields and isinstance(block, dict) and "model" in block
    }


def check(raw: dict[str, Any]) -> None:
    """Check all parameters at once.

    Args:
        raw: The parameters as they stand in the configuration, with what `--params` changed.

    Raises:
        InputError: A line for each wrong parameter: its name, its value, and what was expected.
    """
    raw = {str(name): value for name, value in raw.items()}
    blocks = variants(raw)
    faults = [f"{name}: {NAMING}" for name in blocks if not _can_be_a_name(name)]
    others = {name: value for name, value in raw.items() if name not in blocks}
    faults += find_faults(Parameters, others, variants=list(blocks))
    for name, block in blocks.items():
        faults += find_faults(Variant, block, f"{name}.")
    if (inference := others.get("inference")) and not find_faults(Inference, inference):
        faults += _find_unknown_variant("inference.variant is", inference["variant"], raw, list(blocks))
    faults += _find_faults_of_study(raw, list(blocks))
    faults = faults or _find_unsuitable_models(blocks)
    if faults:
        raise InputError(*(f"parameter {fault}" for fault in faults))


def _find_unsuitable_models(variants: dict[str, dict[str, Any]]) -> list[str]:
    """Hold each variant's model, and its hidden layers, against the models that there are."""
    from from_scratch.models import MODELS  # loads PyTorch: a fault elsewhere is reported sooner without

    faults = []
    for name, variant in variants.items():
        model, hidden = variant["model"], variant.get("hidden", [])
        if model not in MODELS:
            expected = f"expected one of {', '.join(MODELS)}{did_you_mean(model, list(MODELS))}"
            faults.append(f"{name}.model is {model!r}: {expected}")
            continue
        _, _, fewest, most = MODELS[model]
        if not fewest <= len(hidden) <= (len(hidden) if most is None else most):
            expected = (
                "none" if most == 0 else f"the size of {'its one' if most == 1 else 'each'} hidden layer"
            )
            faults.append(f"{name}.hidden is {hidden}: model {model} expects {expected}")
    return faults


def find_study(raw: dict[str, Any]) -> tuple[Stability, list[str], str]:
    """Find what the study of stability is to train.

    Args:
        raw: The parameters as they stand in the configuration, checked.

    Returns:
        The block; the variants that it means, and its reference, in the order of the configuration; and the
        name of the reference.
    """
    study = Stability.model_validate(raw.get("stability", {}))
    known = list(variants(raw))
    reference = study.reference or known[0]
    chosen = known if study.variants == "all" else [*study.variants, reference]
    return study, [name for name in known if name in chosen], reference


def _find_faults_of_study(raw: dict[str, Any], known: list[str]) -> list[str]:
    block = raw.get("stability", {})
    if find_faults(Stability, block):  # which is told already
        return []
    study = Stability.model_validate(block)
    faults = []
    for name in study.variants if study.variants != "all" else []:
        faults += _find_unknown_variant("stability.variants has", name, raw, known)
    if study.reference is not None:
        faults += _find_unknown_variant("stability.reference is", study.reference, raw, known)
    return faults


def _find_unknown_variant(what: str, variant: str, raw: dict[str, Any], known: list[str]) -> list[str]:
    if variant in known or (
        variant in raw and variant not in Parameters.model_fields
    ):  # which is told already
        return []
    expected = f"expected one of {', '.join(known)}{did_you_mean(variant, known)}"
    return [f"{what} {variant!r}: {expected}"]


def _can_be_a_name(variant: str) -> bool:
    return variant.isidentifier() and variant not in TAKEN
