"""What came out, side by side."""

from from_scratch.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
