"""The training template: a variant is this pipeline, in a namespace of the variant's name."""

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.article import VARIANTS
from from_scratch.pipelines.training.nodes import fit, initialise, predict, score


def create_pipeline(variant: str) -> Pipeline:
    """Build the training pipeline of a variant.

    Returns:
        The pipeline, one box in Kedro-Viz, from `train` and `valid` to `{variant}.metrics`.
    """
    nodes = [
        node(
            initialise, ["train", "params:model"], "initial_coefficients", name="initialise", tags="training"
        ),
        node(
            fit,
            ["initial_coefficients", "train", "params:model", "params:threads", "params:precision"],
            ["coefficients", "losses", "coefficients_by_epoch"],
            name="fit",
            tags="training",
        ),
        node(
            predict,
            ["coefficients", "train", "valid", "params:model", "params:threads", "params:precision"],
            "predictions",
            name="predict",
            tags="scoring",
        ),
        node(
            score,
            ["predictions", "losses", "train", "valid", "source", "params:model", "params:threads"],
            "metrics",
            name="score",
            tags="scoring",
        ),
    ]
    parameters = {name: name for name in ("params:threads", "params:precision")}
    parameters["params:model"] = f"params:variants.{variant}"
    inputs = {"train", "valid", "source"}
    return put_into_box(variant, pipeline(nodes, namespace=variant, inputs=inputs, parameters=parameters))


def put_into_box(variant: str, steps: Pipeline) -> Pipeline:
    """Put a pipeline of a variant beyond the article into the box `practice` of Kedro-Viz."""
    if variant in VARIANTS:
        return steps
    return pipeline(steps, namespace="practice", prefix_datasets_with_namespace=False)
