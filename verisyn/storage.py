"""A folder of JSON and arrays, no pickle: nested state in, the same state out, the same bytes each time."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from verisyn.errors import UserError
from verisyn.outputs import writing_folder

FORMAT = 1
_MARK = "__array__"


class Saved(ABC):
    """What is kept as a folder of JSON and arrays."""

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as a folder of JSON and arrays; it appears only when it is whole.

        Raises
        ------
        UserError
            If the folder exists (and `force` is not given) or cannot be written.
        """
        with writing_folder(path, force=force) as folder:
            self.write_into(folder)

    @abstractmethod
    def write_into(self, folder: Path) -> None:
        """Write the model's files into an existing folder."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` (JSON values and NumPy arrays, nested) as ``model.json`` and ``arrays.npz`` into `folder`."""
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps({"format": FORMAT, **_lift(state, arrays)}, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / "model.json").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy")  # its date is fixed, so that the same state gives the same bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue(), compresslevel=4)


def load(folder: Path) -> dict[str, Any]:
    """Read what :func:`save` wrote.

    Raises
    ------
    UserError
        If the folder is not a model, is damaged, or was written by a newer version.
    """
    try:
        state = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        if not isinstance(state, dict) or not isinstance(state.get("format"), int):
            raise ValueError("model.json does not say its format")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{str(folder)!r} is not a model: it needs the files model.json and arrays.npz. "
                        "Make one with 'verisyn fit'.") from None
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as e:
        raise UserError(f"The model {str(folder)!r} is damaged: {e}. Fit it again.") from None
    if state.pop("format") > FORMAT:
        raise UserError(f"The model {str(folder)!r} was written in a newer format than this version of verisyn knows "
                        f"({FORMAT}). Upgrade verisyn.")
    try:
        return _drop(state, arrays)
    except KeyError as e:
        raise UserError(f"The model {str(folder)!r} is damaged: {e} is missing from it. Fit it again.") from None


def _lift(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Move arrays out of nested state, leaving their keys; a name that begins like the mark (a column's) is escaped."""
    if isinstance(value, np.ndarray):
        key = f"a{len(arrays)}"
        arrays[key] = value
        return {_MARK: key}
    if isinstance(value, dict):
        names = (str(k) for k in value)
        return {_MARK * k.startswith(_MARK) + k: _lift(v, arrays) for k, v in zip(names, value.values(), strict=True)}
    if isinstance(value, (list, tuple)):
        return [_lift(v, arrays) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _drop(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Put arrays back where :func:`_lift` took them."""
    if isinstance(value, dict):
        if _MARK in value:
            return arrays[value[_MARK]]
        return {k.removeprefix(_MARK): _drop(v, arrays) for k, v in value.items()}
    if isinstance(value, list):
        return [_drop(v, arrays) for v in value]
    return value
