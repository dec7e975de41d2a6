"""What blend() gives back: the rows with their provenance, their weights, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verisyn.findings import Assessment
from verisyn.outputs import check_folder, writing_folder
from verisyn.provenance import Provenance

if TYPE_CHECKING:
    import polars as pl

    from verisyn.data import Dataset


@dataclass(frozen=True)
class Blend:
    """Rows of several sources, put together.

    Parameters
    ----------
    data : dataframe
        Of the kind that the real data came in: the real rows, then those added; each row says in ``verisyn_source``,
        ``verisyn_kind``, ``verisyn_generator``, ``verisyn_generation`` and ``verisyn_licence`` where it comes from.
    weights : float64 array of shape (rows,)
        1 for a real row; give them to what learns from the blend (``sample_weight``).
    proportion : float
        The mass of added rows for each real one; 0 where none were added.
    shares : dict
        The same by source.
    assessment : Assessment
        ``blend.gap``, ``blend.weights``, ``blend.proportion`` and ``blend.mixture``.
    provenance : Provenance
        All sources, with rows, generations and licences.
    """

    data: Any
    weights: np.ndarray
    proportion: float
    shares: dict[str, float]
    assessment: Assessment
    provenance: Provenance
    _frame: pl.DataFrame = field(repr=False)
    _dataset: Dataset = field(repr=False)

    def __repr__(self) -> str:
        return f"Blend({self.provenance.told()}; {self.provenance.rows:,} rows, proportion {self.proportion:g})"

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write the rows, their weights, the manifest of their provenance, the report and the findings.

        Parameters
        ----------
        folder : str or Path
            Gets ``blend.EXT`` in the format of the real data, ``blend.EXT.provenance.json``, ``weights.csv`` (a line a
            row, in the order of the rows), ``report.html`` and ``assessment.json``.
        force : bool, default False
            Whether an earlier blend may be replaced.

        Returns
        -------
        Path
            The file of rows.

        Raises
        ------
        UserError
            If the folder exists and may not be replaced, or cannot be written.
        """
        import polars as pl

        from verisyn.data import write
        from verisyn.frames import with_dtypes
        from verisyn.report.study import write_study

        folder = check_folder(folder, force)
        name = f"blend.{self._dataset.extension}"
        with writing_folder(folder, force=force) as draft:
            write(with_dtypes(self._frame, self._dataset.origin), draft / name, settings=self._dataset.format_settings,
                  table_name=self._dataset.table_name, provenance=self.provenance)
            pl.DataFrame({"weight": self.weights}).write_csv(draft / "weights.csv")
            write_study(draft, self.assessment, title=str(self.assessment.about["source"]), kind="blend",
                        lead=self._lead())
        return folder / name

    def _lead(self) -> str:
        return (f"{self.provenance.rows:,} rows: {self.provenance.told()}. "
                f"{self.assessment['blend.proportion'].reason.split('. ')[0].split(': ')[0]}.")
