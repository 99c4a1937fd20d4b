"""From raw rows to tensors for training and validation (sections 5 to 6.2)."""

from from_scratch.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
