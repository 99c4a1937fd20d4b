"""A Kedro project like any other, with a dataset of each kind."""
