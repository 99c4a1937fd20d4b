from kinds.pipelines.every_kind.pipeline import create_pipeline

__all__ = ["create_pipeline"]
