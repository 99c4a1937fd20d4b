"""The report: what the variants reached, and what the simplest of them learnt."""

from typing import Any

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.reporting.nodes import compare, name_coefficients

ONE_COEFFICIENT_A_FEATURE = ("linear", "sigmoid", "matmul")


def create_pipeline(variants: dict[str, dict[str, Any]]) -> Pipeline:
    """Build the report.

    Args:
        variants: The variants' blocks of parameters by name.

    Returns:
        The pipeline, one box in Kedro-Viz, from the variants' metrics to `comparison`.
    """
    nameable = [name for name, block in variants.items() if block["model"] in ONE_COEFFICIENT_A_FEATURE]
    nodes = [
        node(
            compare,
            {"reporting": "params:reporting", **{name: f"{name}.metrics" for name in variants}},
            "comparison",
            name="compare",
        ),
        node(
            name_coefficients,
            {"features": "features", **{name: f"{name}.coefficients" for name in nameable}},
            "named_coefficients",
            name="name_coefficients",
        ),
    ]
    return pipeline(nodes, namespace="reporting", prefix_datasets_with_namespace=False)
