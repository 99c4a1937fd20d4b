"""One template for every variant: initialise, fit, predict, score (sections 6 to 8)."""

from from_scratch.pipelines.training.pipeline import create_pipeline, put_into_box

__all__ = ["create_pipeline", "put_into_box"]
