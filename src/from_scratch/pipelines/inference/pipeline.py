"""The inference pipeline: new rows pass through the nodes of data processing, and are predicted."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.data_processing.nodes import impute, normalise, one_hot_encode
from from_scratch.pipelines.inference.nodes import answer, ingest_new, predict_new


def create_pipeline(variant: str, counts: bool = False) -> Pipeline:
    """Build the inference pipeline; with `counts`, it also reads the counts that training has learnt.

    Returns:
        The pipeline, one box in Kedro-Viz, from `new_data` to `new_predictions` and `submission`.
    """
    features = "params:features"
    trained = [f"{variant}.coefficients", f"{variant}.metrics"]
    options = [f"params:variants.{variant}", "params:threads", "params:precision"]
    learnt = ["categories", "params:inference", *(["value_counts"] if counts else [])]
    preparation: list[tuple[Callable[..., Any], list[str], str]] = [
        (ingest_new, ["new_data", features, *learnt], "checked_new_data"),
        (impute, ["checked_new_data", "fill_values"], "imputed_new_data"),
        (one_hot_encode, ["imputed_new_data", features, "categories"], "new_features"),
        (normalise, ["new_features", "scales"], "new_input"),
    ]
    scoring: list[tuple[Callable[..., Any], list[str], str]] = [
        (predict_new, [*trained, "new_input", "checked_new_data", features, *options], "new_predictions"),
        (answer, ["new_predictions", features, "categories"], "submission"),
    ]
    return pipeline(
        [
            node(step, inputs, output, name=step.__name__, tags=tag)
            for tag, steps in {"preparation": preparation, "scoring": scoring}.items()
            for step, inputs, output in steps
        ],
        namespace="inference",
        prefix_datasets_with_namespace=False,
    )
