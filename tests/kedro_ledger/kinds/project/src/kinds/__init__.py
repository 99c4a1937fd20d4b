"""A typical Kedro project with a dataset of each kind."""
