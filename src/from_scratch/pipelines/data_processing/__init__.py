"""From the passengers as they come to the tensors that train and validate (sections 5 to 6.2)."""

from from_scratch.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
