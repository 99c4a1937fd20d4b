"""The way from raw passengers to tensors."""

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.data_processing.nodes import (
    compute_maxima,
    compute_modes,
    count_missing_values,
    impute_modes,
    ingest,
    normalise,
    one_hot_encode,
    split,
)


def create_pipeline() -> Pipeline:
    """Build the data processing.

    Returns:
        The pipeline, one box in Kedro-Viz, from `passengers` to `train` and `valid`.
    """
    nodes = [
        node(
            ingest,
            ["passengers", "params:features", "params:split"],
            ["checked_passengers", "source"],
            name="ingest",
        ),
        node(count_missing_values, "checked_passengers", "missing_values", name="count_missing_values"),
        node(compute_modes, "checked_passengers", "modes", name="compute_modes"),
        node(impute_modes, ["checked_passengers", "modes"], "imputed_passengers", name="impute_modes"),
        node(one_hot_encode, ["imputed_passengers", "params:features"], "features", name="one_hot_encode"),
        node(compute_maxima, "features", "maxima", name="compute_maxima"),
        node(
            normalise,
            ["features", "maxima", "imputed_passengers", "params:features.target"],
            "model_input",
            name="normalise",
        ),
        node(split, ["model_input", "params:split"], ["train", "valid"], name="split"),
    ]
    return pipeline(nodes, namespace="data_processing", prefix_datasets_with_namespace=False)
