"""A dataset of the project's own."""

from kedro_datasets.json import JSONDataset


class Notes(JSONDataset):
    """A class that says itself that it is versioned: Kedro heeds it without `versioned: true`."""

    versioned = True
