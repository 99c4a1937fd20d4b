"""A dataset of the project's own."""

from kedro_datasets.json import JSONDataset


class Notes(JSONDataset):
    """A class that declares itself as versioned, so that its catalog entry needs no `versioned: true`."""

    versioned = True
