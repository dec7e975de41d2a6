"""What a model answers about rows that it is shown: how likely and how unusual they are, and what their gaps hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.data import read
from verisyn.drawing import Drawing
from verisyn.errors import UserError, whole_number
from verisyn.imputation import impute, with_columns_of
from verisyn.modalities.table import Fitted
from verisyn.modalities.table._views import TableCoder
from verisyn.outliers import Ordinary, reasons
from verisyn.running import threads
from verisyn.schema import Schema

EVERY_ROW = 2**62
"""Where each row gets an answer, none is left out by sampling."""


class Answers:
    """The part of a model that is asked about rows; see :class:`verisyn.model.Model`.

    Parameters
    ----------
    schema : Schema
    coder : TableCoder
        Turns rows into codes and back.
    fitted : Fitted
        What the generator learnt of the codes.
    seed : int
        That of the fit.
    rows : int
        Rows that it learnt from.
    """

    def __init__(self, schema: Schema, coder: TableCoder, fitted: Fitted, seed: int, rows: int):
        self.schema, self.coder, self.fitted = schema, coder, fitted
        self._seed, self._rows = seed, rows
        self._ordinary: Ordinary | None = None

    def _drawing(self, jobs: int | None = None) -> Drawing:
        return Drawing(self.schema.table, self.coder, self.fitted, self._seed, threads(jobs))

    def log_prob(self, data: Any) -> np.ndarray:
        """Return the log-likelihood of each row's codes, float64 of shape (rows,); higher is more typical."""
        frame = self._known(read(data, fit_rows=EVERY_ROW).frame)
        return self.fitted.log_prob(self.coder.encode(frame).values).sum(axis=1)

    def outlier_score(self, data: Any) -> np.ndarray:
        """Return how unusual each row is, float64 of shape (rows,) from 0 to 1.

        The score is the share of the model's own rows that are likelier, by the density of the row: 0.99 says that one
        in a hundred of the model's own rows is as unlikely. Values beyond the model's range, levels that it does not
        know, and missing values where there were none, make a row unlikely.

        Parameters
        ----------
        data : Dataset, dataframe, path or URL
            Rows with the model's columns.

        Raises
        ------
        UserError
            If a column is not there.

        Examples
        --------
        >>> import polars as pl
        >>> from verisyn import fit
        >>> frame = pl.DataFrame({"height": [1.62, 1.75, 1.81, 1.58] * 50, "smoker": ["yes", "no", "no", "no"] * 50})
        >>> model = fit(frame, seed=0)
        >>> odd = model.outlier_score(pl.DataFrame({"height": [1.75, 2.6], "smoker": ["no", "no"]}))
        >>> bool(odd[0] < 0.9), bool(odd[1] > 0.999)
        (True, True)
        """
        ordinary, log_p = self._likelihoods(data)
        return ordinary.score(log_p.sum(axis=1))

    def outlier_reasons(self, data: Any) -> pl.DataFrame:
        """Return what makes rows unusual.

        Returns
        -------
        polars DataFrame
            `score`; `column`, the one that adds most to it; and for each column by how many nats it is less likely,
            given the columns before it in :attr:`order`, than that of an own row is on average. Columns that are coded
            together share one entry.
        """
        ordinary, log_p = self._likelihoods(data)
        return reasons(log_p, ordinary, ["/".join(coder.columns) for coder in self.coder.coders])

    def _likelihoods(self, data: Any) -> tuple[Ordinary, np.ndarray]:
        drawing = self._drawing()
        if self._ordinary is None:
            self._ordinary = Ordinary.of(drawing, self._rows)
        frame = self._known(read(data, fit_rows=EVERY_ROW).frame)
        return self._ordinary, self._ordinary.by_coder(frame, drawing)

    def _known(self, frame: pl.DataFrame) -> pl.DataFrame:
        missing = [c for c in self.coder.columns if c not in frame.columns]
        if missing:
            raise UserError(f"The rows lack the column {missing[0]!r}, which the model knows.")
        return frame.select(self.coder.columns)

    def impute(self, data: Any, draws: int = 1, *, seed: int = 0) -> Any:
        """Complete missing cells.

        Each missing cell is drawn from the model's distribution given all other cells of its row, so that spread and
        dependence stay as they are (a mean would shrink both). Observed cells come back as they were. Several draws
        show how uncertain the completion is (multiple imputation, Rubin 1987): analyse each, then pool.

        Parameters
        ----------
        data : Dataset, dataframe, path or URL
            Rows with the model's columns. A column that is not there is completed as a whole; one that the model does
            not know stays as it is, and so do ids, personal data and free text.
        draws : int, default 1
            How many completions.
        seed : int, default 0

        Returns
        -------
        dataframe, or list of dataframes where `draws` is more than 1
            Of the kind and with the data types that came in; in pandas, with its index too.

        Raises
        ------
        UserError
            If the rows have no column that the model knows, or its generator cannot draw a part of a row given the
            rest.

        Examples
        --------
        >>> import polars as pl
        >>> from verisyn import fit
        >>> frame = pl.DataFrame({"height": [1.62, 1.75, 1.81, 1.58] * 50, "smoker": ["yes", "no", "no", "no"] * 50})
        >>> model = fit(frame, seed=0)
        >>> model.impute(pl.DataFrame({"height": [1.62, None], "smoker": [None, "no"]})).null_count().row(0)
        (0, 0)
        """
        dataset = read(data, fit_rows=EVERY_ROW)
        frames = self.impute_frames(dataset.frame, whole_number("draws", draws, 1), seed=seed)
        given_back = [dataset.give_back(frame) for frame in frames]
        if dataset.origin.native == "pandas" and hasattr(data, "index"):  # a completed row is the row that came in
            for frame in given_back:
                frame.index = data.index
        return given_back[0] if draws == 1 else given_back

    def impute_frames(self, frame: pl.DataFrame, draws: int = 1, *, seed: int = 0) -> list[pl.DataFrame]:
        """Complete missing cells of a polars frame; see :meth:`impute`."""
        whole_number("seed", seed, 0)
        known = self.coder.columns
        if not {*known} & {*frame.columns}:  # most likely it is another table
            told = ", ".join(map(repr, known[:5])) + (", …" if len(known) > 5 else "")
            raise UserError(f"None of the columns of these rows is known to the model, which learnt {told}. Give rows "
                            "of the same table, or another model.")
        drawing = self._drawing()
        return impute(with_columns_of(frame, drawing), drawing, draws, np.random.SeedSequence(seed))
