"""A checkpoint: parts of a model as they are learnt, kept in a folder for the same command to go on from."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from verisyn import __version__, storage
from verisyn.errors import UserError
from verisyn.modalities.table import Codes
from verisyn.outputs import writing_file, writing_folder

_ABOUT = "checkpoint.json"


class Checkpoint:
    """Parts of one fit; it holds what the model will hold, and no training row.

    Parameters
    ----------
    folder : str or Path
        A new folder, or one that an earlier run of the same fit left behind.
    about : dict
        What must be the same for a run to go on: see :func:`fingerprint`.

    Raises
    ------
    UserError
        If the folder holds something else, or the checkpoint of another fit.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "kept"
    >>> Checkpoint(place, {"seed": "7"}).put("0", {"shares": np.array([0.5, 0.5])})
    >>> Checkpoint(place, {"seed": "7"}).get("0")["shares"].tolist()
    [0.5, 0.5]
    """

    def __init__(self, folder: str | Path, about: dict[str, str]):
        self.folder = Path(folder)
        known = self._known()
        if known is None:
            with writing_file(self.folder / _ABOUT) as draft:
                draft.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        elif other := sorted(name for name in about if known.get(name) != about[name]):
            raise UserError(f"The checkpoint {str(folder)!r} belongs to another fit: {', '.join(other)} differed. Give "
                            "another folder, or remove this one to start afresh.")

    def _known(self) -> dict[str, str] | None:
        if not self.folder.exists():
            return None
        try:
            return dict(json.loads((self.folder / _ABOUT).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            if self.folder.is_dir() and not any(self.folder.iterdir()):
                return None
            raise UserError(f"{str(self.folder)!r} is there already and is no checkpoint. Give the name of a new "
                            "folder.") from None

    def get(self, name: str) -> dict[str, Any] | None:
        """Return a part that was kept; None where there is none, or a damaged one."""
        try:
            return storage.load(self._place(name))
        except UserError:
            return None

    def put(self, name: str, state: dict[str, Any]) -> None:
        """Keep a part; it appears when it is whole."""
        with writing_folder(self._place(name), force=True) as draft:
            storage.save(draft, state)

    def remove(self) -> None:
        """Remove the checkpoint, and nothing else that may stand in its folder."""
        for place in self.folder.glob("part-*"):
            shutil.rmtree(place, ignore_errors=True)
        (self.folder / _ABOUT).unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _place(self, name: str) -> Path:
        return self.folder / f"part-{name}"


def fingerprint(codes: Codes, generator: str, settings: dict[str, Any], seed: int) -> dict[str, str]:
    """Return what decides the bytes of a fitted generator, each under the name by which a person knows it."""
    content = hashlib.sha256(repr((codes.names, codes.parts)).encode())
    content.update(np.asfortranarray(codes.values).tobytes("F"))
    return {"the data or its schema": content.hexdigest(), "the generator": generator,
            "its settings": json.dumps(settings, sort_keys=True, default=str), "the seed": str(seed),
            "the version": __version__}
