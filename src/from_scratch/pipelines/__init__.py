"""The pipelines, in the order in which data flows: data_processing, training, reporting."""
