"""The pipeline that compares the variants and writes the report."""

from from_scratch.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
