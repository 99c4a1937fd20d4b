"""The pipelines: data processing, one for each variant, the report, the stability study, and inference.

A variant's pipeline, such as `deep`, is data processing and the variant's training. `__default__` is
everything except inference, which needs new rows, and the stability study. `stability` is `__default__` and
the study, which the report then includes.
"""

from __future__ import annotations

import os
from pathlib import Path

from kedro.framework.project import settings
from kedro.pipeline import Pipeline
from kedro.utils import find_kedro_project

from from_scratch.hooks import session
from from_scratch.pipelines import data_processing, inference, reporting, stability, training
from from_scratch.pipelines.reporting.console import describe_box, render_results
from from_scratch.schema.parameters import Parameters, read


def register_pipelines() -> dict[str, Pipeline]:
    """Build all pipelines.

    Returns:
        The pipelines by name, in the order in which data flows.
    """
    session.render_results, session.describe_box = render_results, describe_box
    parameters = session.parameters or _read_parameters()
    variants = list(parameters.variants)
    counts = bool(parameters.features.counted)
    processing = data_processing.create_pipeline(counts)
    trainings = {name: training.create_pipeline(name) for name in variants}
    everything = sum([processing, *trainings.values()], Pipeline([]))
    report = reporting.create_pipeline(variants)
    return {
        "__default__": everything + report,
        "data_processing": processing,
        **{name: processing + pipeline for name, pipeline in trainings.items()},
        "reporting": report,
        "stability": everything
        + stability.create_pipeline(parameters.studied, parameters.stability.splits)
        + reporting.create_pipeline(variants, study=True),
        "inference": inference.create_pipeline(parameters.inference.variant, counts),
    }


def _read_parameters() -> Parameters:
    """Read the parameters for a command without a session, such as `kedro registry list`."""
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    config_loader = settings.CONFIG_LOADER_CLASS(
        conf_source=str(project / settings.CONF_SOURCE),
        env=os.environ.get("KEDRO_ENV"),
        **settings.CONFIG_LOADER_ARGS,
    )
    return read(config_loader)
