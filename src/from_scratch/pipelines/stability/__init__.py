"""The study: every variant trained from many seeds on many splits, to judge the differences between them."""

from from_scratch.pipelines.stability.pipeline import create_pipeline

__all__ = ["create_pipeline"]
