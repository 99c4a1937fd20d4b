"""The data-processing pipeline, from raw rows to tensors."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.data_processing.derivation import learn_counts


def create_pipeline(counts: bool = False) -> Pipeline:
    """Build the data-processing pipeline; with `counts`, it also learns the counts that new rows need.

    Returns:
        The pipeline, one box in Kedro-Viz, from `raw_data` to `train` and `valid`.
    """
    features, split = "params:features", "params:split"
    steps: list[tuple[Callable[..., Any], list[str], str | list[str]]] = [
        (nodes.ingest, ["raw_data", features, split], ["checked_data", "source"]),
        (nodes.count_missing_values, ["checked_data"], "missing_values"),
        (nodes.count_categories, ["checked_data", features], "category_counts"),
        (nodes.compute_fill_values, ["checked_data", features, split], "fill_values"),
        (nodes.impute, ["checked_data", "fill_values"], "imputed_data"),
        (nodes.learn_categories, ["imputed_data", features, split], "categories"),
        (nodes.one_hot_encode, ["imputed_data", features, "categories"], "features"),
        (nodes.compute_scales, ["features", "imputed_data", features, split], "scales"),
        (nodes.make_model_input, ["features", "scales", "imputed_data", features], "model_input"),
        (nodes.split, ["model_input", split], ["train", "valid"]),
    ]
    if counts:
        steps.append((learn_counts, ["checked_data", features, split], "value_counts"))
    return pipeline(
        [node(step, inputs, outputs, name=step.__name__) for step, inputs, outputs in steps],
        namespace="data_processing",
        prefix_datasets_with_namespace=False,
        tags="preparation",
    )
