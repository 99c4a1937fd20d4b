"""From machine learning to deep learning, from scratch, as reproducible Kedro pipelines."""

__version__ = "0.1.0"
