"""The way from raw rows to tensors."""

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.data_processing.nodes import (
    compute_fill_values,
    compute_scales,
    count_categories,
    count_missing_values,
    impute,
    ingest,
    learn_categories,
    make_model_input,
    one_hot_encode,
    split,
)


def create_pipeline() -> Pipeline:
    """Build the data processing.

    Returns:
        The pipeline, one box in Kedro-Viz, from `raw_data` to `train` and `valid`.
    """
    parameters = ["params:features", "params:split"]
    nodes = [
        node(ingest, ["raw_data", *parameters], ["checked_data", "source"], name="ingest"),
        node(count_missing_values, "checked_data", "missing_values", name="count_missing_values"),
        node(
            count_categories,
            ["checked_data", "params:features"],
            "category_counts",
            name="count_categories",
        ),
        node(
            compute_fill_values,
            ["checked_data", *parameters],
            "fill_values",
            name="compute_fill_values",
        ),
        node(impute, ["checked_data", "fill_values"], "imputed_data", name="impute"),
        node(learn_categories, ["imputed_data", *parameters], "categories", name="learn_categories"),
        node(
            one_hot_encode,
            ["imputed_data", "params:features", "categories"],
            "features",
            name="one_hot_encode",
        ),
        node(compute_scales, ["features", *parameters], "scales", name="compute_scales"),
        node(
            make_model_input,
            ["features", "scales", "imputed_data", "params:features"],
            "model_input",
            name="normalise",
        ),
        node(split, ["model_input", "params:split"], ["train", "valid"], name="split"),
    ]
    return pipeline(
        nodes, namespace="data_processing", prefix_datasets_with_namespace=False, tags="preparation"
    )
