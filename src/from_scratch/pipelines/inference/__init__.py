"""Prediction of new rows with a trained variant; nothing is trained here."""

from from_scratch.pipelines.inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
