"""The study's pipeline: a node for each variant on each split, so that runners can distribute them."""

from collections.abc import Sequence

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.stability.nodes import collect_runs, prepare_splits, train_seeds
from from_scratch.pipelines.stability.summary import summarise


def create_pipeline(variants: Sequence[str], splits: int) -> Pipeline:
    """Build the study's pipeline.

    Returns:
        The pipeline, one box in Kedro-Viz, from `checked_data` to `stability_summary`.
    """
    numbers = range(1, splits + 1)
    prepare = node(
        prepare_splits,
        ["checked_data", "params:features", "params:split", "params:stability"],
        [f"stability_split_{i}" for i in numbers],
        name="prepare_splits",
        tags="preparation",
    )
    shared = ["params:stability", "params:threads"]
    trainings = [
        node(
            train_seeds,
            [f"stability_split_{i}", f"params:variants.{variant}", *shared],
            f"stability_{variant}_split_{i}",
            name=f"train_{variant}_on_split_{i}",
            tags="training",
        )
        for variant in variants
        for i in numbers
    ]
    chunks = {f"{variant}.{i}": f"stability_{variant}_split_{i}" for variant in variants for i in numbers}
    closing = [
        node(collect_runs, chunks, "stability_runs", name="collect_runs", tags="scoring"),
        node(
            summarise,
            ["stability_runs", "params:stability"],
            "stability_summary",
            name="summarise",
            tags="scoring",
        ),
    ]
    return pipeline(
        [prepare, *trainings, *closing], namespace="stability", prefix_datasets_with_namespace=False
    )
