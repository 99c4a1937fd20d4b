"""The types that pass between nodes.

Only a type checker needs the real ones: Kedro reads every node's hints, and with these it does so without
loading PyTorch or pandas, so that commands that compute nothing start at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame
    from pandas import Series as Series
    from torch import Tensor as Tensor
else:
    DataFrame = Series = Tensor = Any

Tensors = dict[str, Tensor]
"""Tensors by name."""
