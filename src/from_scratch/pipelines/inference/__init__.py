"""New rows, answered by a trained variant. Nothing is trained here."""

from from_scratch.pipelines.inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
