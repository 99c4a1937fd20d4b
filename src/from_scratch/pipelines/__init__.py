"""The pipelines, as data flows: data_processing, training, stability and reporting; and inference."""
