"""A function for each kind of dataset that makes its content, and one that inspects any content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

TABLE = {"name": ["Ada", "Blaise", "Carl"], "number": [3, 1, 2]}


def table() -> Any:
    import pandas as pd

    return pd.DataFrame(TABLE)


def polars_table() -> Any:
    import polars as pl

    return pl.DataFrame(TABLE)


def lazy_table() -> Any:
    return polars_table().lazy()


def dask_table() -> Any:
    import dask.dataframe as dd

    return dd.from_pandas(table(), npartitions=2)


def ibis_table() -> Any:
    import ibis

    return ibis.memtable(table())


def huggingface_table() -> Any:
    import datasets

    return datasets.Dataset.from_dict(TABLE)


def places() -> Any:
    import geopandas

    return geopandas.GeoDataFrame(table(), geometry=geopandas.points_from_xy([0, 1, 2], [5, 4, 3]), crs=4326)


def things() -> Any:
    return {"one": 1, "more": [2, 3, {"four": None}]}


def lines() -> str:
    return "a line\nand another\n"


def graph() -> Any:
    import networkx

    return networkx.path_graph(["a", "b", "c"])


def genes() -> Any:
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    return [
        SeqRecord(Seq("ACGT"), id="one", description=""),
        SeqRecord(Seq("TTGA"), id="two", description=""),
    ]


def message() -> Any:
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"] = "numbers"
    mail.set_content("three, one, two")
    return mail


def matrix() -> Any:
    import numpy as np

    return np.arange(6.0).reshape(2, 3)


def rows() -> Any:
    import numpy as np

    return np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, 0.0])


def document() -> Any:
    import docx

    text = docx.Document()
    text.add_paragraph("a line")
    return text


def slides() -> Any:
    import pptx

    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "a title"
    return deck


def image() -> Any:
    from PIL import Image

    return Image.new("RGB", (4, 3), (10, 200, 30))


def plot() -> Any:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([3, 1, 2])
    return figure


def plots() -> Any:
    return {"first.png": plot(), "second.png": plot()}


def curve() -> Any:
    import holoviews

    return holoviews.Curve([3, 1, 2])


def plotly_figure() -> Any:
    import plotly.graph_objects as go

    return go.Figure(go.Bar(x=TABLE["name"], y=TABLE["number"]))


def parts() -> dict[str, Any]:
    return {"a": {"part": 1}, "b": {"part": 2}}


def text_parts() -> dict[str, str]:
    return {"a": "part 1", "b": "part 2"}


def chunks() -> Iterator[Any]:
    yield table().head(1)
    yield table().tail(2)


MAKERS = {
    "api": things,
    "biosequence": genes,
    "dask_csv": dask_table,
    "dask_parquet": dask_table,
    "email": message,
    "geopandas": places,
    "holoviews": curve,
    "huggingface_arrow": huggingface_table,
    "huggingface_csv": huggingface_table,
    "huggingface_json": huggingface_table,
    "huggingface_parquet": huggingface_table,
    "ibis_file": ibis_table,
    "ibis_table": ibis_table,
    "json": things,
    "matlab": matrix,
    "matplotlib": plot,
    "matplotlib_many": plots,
    "networkx_gml": graph,
    "networkx_graphml": graph,
    "networkx_json": graph,
    "openxml_docx": document,
    "openxml_pptx": slides,
    "pandas_csv": table,
    "pandas_delta": table,
    "pandas_excel": table,
    "pandas_feather": table,
    "pandas_generic": table,
    "pandas_hdf": table,
    "pandas_json": table,
    "pandas_parquet": table,
    "pandas_sql_table": table,
    "pandas_xml": table,
    "partitions": parts,
    "partitions_incremental": text_parts,
    "pickle": things,
    "pillow": image,
    "plotly_html": plotly_figure,
    "plotly_json": plotly_figure,
    "plotly_plotly": table,
    "polars_csv": polars_table,
    "polars_eager": polars_table,
    "polars_lazy": lazy_table,
    "svmlight": rows,
    "text": lines,
    "yaml": things,
}
"""Functions that make the content, by kind."""

NOT_VERSIONED = {
    "api",
    "biosequence",
    "dask_csv",
    "dask_parquet",
    "ibis_table",
    "pandas_delta",
    "pandas_sql_table",
    "partitions",
    "partitions_incremental",
}
"""Kinds that Kedro doesn't version."""

NOT_LOADED = {"holoviews", "matplotlib", "matplotlib_many", "plotly_html"}
"""Kinds that Kedro can only save."""


def look(data: Any) -> Any:
    """Describe any loaded content in a form that JSON can represent."""
    if hasattr(data, "collect"):
        data = data.collect()
    if hasattr(data, "compute"):
        data = data.compute()
    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if isinstance(data, list):
        return [look(thing) for thing in data]
    if isinstance(data, tuple):
        return [look(thing) for thing in data]
    if isinstance(data, dict):
        return {str(name): look(thing) for name, thing in data.items() if not str(name).startswith("__")}
    for method in ("to_csv", "to_json", "as_string", "tobytes"):
        if hasattr(data, method):
            seen = getattr(data, method)()
            return hashlib.sha256(seen).hexdigest() if isinstance(seen, bytes) else seen
    if hasattr(data, "toarray"):
        return data.toarray().tolist()
    if hasattr(data, "edges"):
        return sorted(map(str, data.edges))
    if hasattr(data, "paragraphs"):
        return [paragraph.text for paragraph in data.paragraphs]
    if hasattr(data, "slides"):
        return [slide.shapes.title.text for slide in data.slides]
    if hasattr(data, "seq"):
        return str(data.seq)
    if hasattr(data, "json"):
        return data.json()
    return look(data()) if callable(data) else data
