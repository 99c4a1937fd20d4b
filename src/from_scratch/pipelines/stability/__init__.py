"""Every variant from many seeds on many splits: what a difference between two of them is worth."""

from from_scratch.pipelines.stability.pipeline import create_pipeline

__all__ = ["create_pipeline"]
