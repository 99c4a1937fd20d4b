"""The way of new rows, through the steps of data processing, to answers."""

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.data_processing.nodes import impute, normalise, one_hot_encode
from from_scratch.pipelines.inference.nodes import answer, ingest_new, predict_new


def create_pipeline(variant: str) -> Pipeline:
    """Build the inference.

    What fills missing values, the categories, the scales and the coefficients are those of the run that
    readers see.

    Args:
        variant: The name of the variant that answers.

    Returns:
        The pipeline, one box in Kedro-Viz, from `new_data` to `new_predictions` and `submission`.
    """
    nodes = [
        node(
            ingest_new,
            ["new_data", "params:features", "categories", "params:inference"],
            "checked_new_data",
            name="ingest_new",
            tags="preparation",
        ),
        node(
            impute,
            ["checked_new_data", "fill_values"],
            "imputed_new_data",
            name="impute",
            tags="preparation",
        ),
        node(
            one_hot_encode,
            ["imputed_new_data", "params:features", "categories"],
            "new_features",
            name="one_hot_encode",
            tags="preparation",
        ),
        node(normalise, ["new_features", "scales"], "new_input", name="normalise", tags="preparation"),
        node(
            predict_new,
            [
                f"{variant}.coefficients",
                f"{variant}.metrics",
                "new_input",
                "checked_new_data",
                "params:features",
                f"params:variants.{variant}",
                "params:threads",
                "params:precision",
            ],
            "new_predictions",
            name="predict_new",
            tags="scoring",
        ),
        node(
            answer,
            ["new_predictions", "params:features", "categories"],
            "submission",
            name="answer",
            tags="scoring",
        ),
    ]
    return pipeline(nodes, namespace="inference", prefix_datasets_with_namespace=False)
