"""Tensors in a safetensors file, on any filesystem that fsspec supports."""

from __future__ import annotations

from copy import deepcopy
from pathlib import PurePosixPath
from typing import Any

import fsspec
from kedro.io.core import (
    AbstractVersionedDataset,
    DatasetError,
    Version,
    get_filepath_str,
    get_protocol_and_path,
)
from safetensors import SafetensorError
from safetensors.torch import load, load_file, save
from torch import Tensor

from from_scratch.datasets.previews import preview_tensors
from from_scratch.kedro_internals import HTMLPreview


class TensorsDataset(AbstractVersionedDataset[dict[str, Tensor], dict[str, Tensor]]):
    """A dictionary of tensors as safetensors.

    The same tensors give the same bytes, whatever their order, and are loaded in the order of their names.
    The file is written only after all tensors are serialised. It contains no code: unlike pickle, safetensors
    files from anyone are safe to load.

    ```yaml
    coefficients:
      type: from_scratch.datasets.TensorsDataset
      filepath: data/06_models/coefficients.safetensors
      versioned: true
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Describe the file.

        Args:
            filepath: A path, with a protocol such as `s3://` or `memory://` if it is not local.
            version: The version, which Kedro sets for `versioned: true`.
            credentials: Credentials for the filesystem.
            fs_args: Arguments for the filesystem.
            metadata: Ignored by Kedro; read by plugins such as Kedro-Viz.
        """
        protocol, path = get_protocol_and_path(filepath, version)
        options = {**deepcopy(fs_args or {}), **deepcopy(credentials or {})}
        if protocol == "file":
            options.setdefault("auto_mkdir", True)
        self._protocol = protocol
        self._fs = fsspec.filesystem(protocol, **options)
        self.metadata = metadata
        super().__init__(PurePosixPath(path), version, self._fs.exists, self._fs.glob)

    def load(self) -> dict[str, Tensor]:
        """Read the tensors, sorted by name.

        Raises:
            DatasetError: If the file does not exist, or is not a complete safetensors file.
        """
        path = get_filepath_str(self._get_load_path(), self._protocol)
        try:
            # A version never changes, so it can be mapped into memory instead of copied.
            is_mapped = self._version and self._protocol == "file"
            tensors = load_file(path) if is_mapped else load(self._fs.cat_file(path))
        except SafetensorError as error:
            raise DatasetError(f"{path} is not a complete safetensors file: {error}") from error
        return dict(sorted(tensors.items()))

    def save(self, data: dict[str, Tensor]) -> None:
        """Write the tensors, of any shape and memory layout.

        Raises:
            DatasetError: If `data` is not a dictionary of tensors by name.
        """
        if not isinstance(data, dict) or not all(
            isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in data.items()
        ):
            raise DatasetError(
                f"{self._filepath.name}: data is {type(data).__name__} {data!r:.80}; expected tensors by name"
            )
        path = get_filepath_str(self._get_save_path(), self._protocol)
        tensors = {name: data[name].detach().contiguous() for name in sorted(data)}
        if len({tensor.untyped_storage().data_ptr() for tensor in tensors.values()}) < len(tensors):
            # safetensors rejects tensors that share memory.
            tensors = {name: tensor.clone() for name, tensor in tensors.items()}
        self._fs.pipe_file(path, save(tensors))
        self._fs.invalidate_cache(path)

    def preview(self, heat_maps: bool = False) -> HTMLPreview:
        """Show each tensor's shape and the range of its values in Kedro-Viz.

        Args:
            heat_maps: Whether to draw the values too. Previews may be published, so leave this out for
                tensors with a value for each row.
        """
        return preview_tensors(self.load(), heat_maps)

    def _exists(self) -> bool:
        return bool(self._fs.exists(get_filepath_str(self._get_load_path(), self._protocol)))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol, "version": self._version}

    def _release(self) -> None:
        super()._release()
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))
