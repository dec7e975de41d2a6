"""The rows of an inference: labelled, unlabelled and synthetic; and what a predictor may see of them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from verisyn.conditions import parse
from verisyn.errors import UserError
from verisyn.inference._asked import Asked
from verisyn.metrics._conform import conform

_DESCRIBED = 20_000
_APART, _SURE = 0.05, 4.0
"""A column is left out where its share of missing cells differs by so much, and by so many standard errors."""


@dataclass(frozen=True)
class Rows:
    """Real rows with the outcome, real rows without it, and synthetic rows in the same types, if there are any.

    All synthetic rows are learnt from; `pooled` are those of them that are asked of.
    """

    labelled: pl.DataFrame
    unlabelled: pl.DataFrame
    synthetic: pl.DataFrame | None = None
    pooled: pl.DataFrame | None = None

    @classmethod
    def of(cls, real: pl.DataFrame, more: pl.DataFrame | None, synthetic: pl.DataFrame | None, asked: Asked) -> Rows:
        """Part the real rows by whether they hold the outcome; rows of a second table are unlabelled.

        Raises
        ------
        UserError
            If no row holds the outcome, or the second table holds it, or has no column that is needed.
        """
        known = asked.known(real)
        labelled, rest = real.filter(known), real.filter(~known)
        if labelled.height < 2:
            raise UserError(f"Only {labelled.height} of the {real.height:,} real rows hold {_named(asked)}. Synthetic "
                            "rows cannot stand in for it: at least 2 real rows that hold it are needed.")
        if more is not None:
            rest = _joined(rest, _like(more, real, asked))
        fake = None if synthetic is None else _typed(synthetic, real, "the synthetic data")
        return cls(labelled, rest, fake, fake)

    def within(self, condition: str) -> Rows:
        """Return the rows that meet a condition on columns that every row holds."""
        def met(frame: pl.DataFrame) -> pl.DataFrame:
            return frame.filter(parse(condition, frame.columns).holds(frame)) if frame.height else frame

        fake = self.synthetic
        asked = fake is not None and _read(condition, self.labelled) <= {*fake.columns}
        kept = Rows(met(self.labelled), met(self.unlabelled), fake, met(fake) if fake is not None and asked else None)
        if kept.labelled.height < 2:
            raise UserError(f"Only {kept.labelled.height} real rows that hold the outcome meet {condition!r}; at "
                            "least 2 are needed. Ask within a wider condition.")
        return kept

    def complete(self, columns: list[str]) -> Rows:
        """Return the real rows in which none of `columns` is missing."""
        return replace(self, labelled=_whole(self.labelled, columns), unlabelled=_whole(self.unlabelled, columns))


def _named(asked: Asked) -> str:
    return " and ".join(map(repr, asked.columns))


def _read(condition: str, frame: pl.DataFrame) -> set[str]:
    return {name for c in parse(condition, frame.columns).conjuncts for name in c.columns}


def check_within(condition: str, real: pl.DataFrame, asked: Asked) -> None:
    """Refuse a condition that reads the outcome: rows without it could not be judged.

    Raises
    ------
    UserError
        Naming the column.
    """
    both = sorted(_read(condition, real) & {c for c in asked.columns if real[c].null_count()})
    if both:
        raise UserError(f"The condition {condition!r} reads {both[0]!r}, which is part of the outcome, so that rows "
                        "without the outcome cannot be told to meet it or not. Use columns that every row holds.")


def _whole(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    if not columns or not frame.height:
        return frame
    return frame.drop_nulls(columns)


def _like(more: pl.DataFrame, real: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """A second table in the types of the first."""
    if set(asked.columns) <= set(more.columns) and asked.known(_typed(more, real, "the unlabelled data")).any():
        raise UserError(f"The unlabelled data holds {_named(asked)} in some rows. If these are real outcomes of a "
                        "random sample, put the rows into the real data; otherwise leave the column out.")
    absent = [name for name in asked.needed if name not in more.columns]
    if absent:
        raise UserError(f"The unlabelled data has no column {absent[0]!r}, which the regression reads. Add it, or "
                        "take it out of the regression.")
    return _typed(more, real, "the unlabelled data")


def _typed(frame: pl.DataFrame, real: pl.DataFrame, what: str) -> pl.DataFrame:
    shared = [name for name in real.columns if name in frame.columns]
    if not shared:
        raise UserError(f"No column of {what} is in the real data; they are matched by name.")
    return conform(frame, real, shared, what)[0]


def _joined(rest: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    shared = [c for c in rest.columns if c in more.columns]
    if not rest.height:
        return more
    return pl.concat([rest.select(shared), more.select(shared)], how="vertical_relaxed")


# -- what a predictor sees ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Seen:
    """The covariates as numbers, float64 of shape (rows, features); NaN is missing.

    Parameters
    ----------
    labelled, unlabelled, synthetic
        One matrix each.
    names : list of str
    categories : list of bool
        Which features hold codes of categories.
    """

    labelled: np.ndarray
    unlabelled: np.ndarray
    synthetic: np.ndarray | None
    names: list[str]
    categories: list[bool]

    @classmethod
    def of(cls, rows: Rows, columns: list[str], *, fake: bool) -> Seen:
        """See the columns as all judges do: ids, personal data and free text are left out. No outcome is read.

        With `fake`, the synthetic rows are seen too.
        """
        from verisyn.description import describe_column, modelled
        from verisyn.metrics import Side
        from verisyn.metrics._models import matrices
        from verisyn.modalities.table._views import TableCoder
        from verisyn.schema import Table

        real = pl.concat([f.select(columns) for f in (rows.labelled, rows.unlabelled)], how="vertical_relaxed")
        described = []
        for column in columns:
            with suppress(UserError):  # of no known kind: no reason to refuse a question about another column
                described.append(describe_column(real[column].head(_DESCRIBED)))
        table = Table(name="rows", columns=tuple(c for c in described if modelled(c)), rows=real.height)
        coder = TableCoder.learn(real, table, np.random.SeedSequence(0))
        frames = [rows.labelled, rows.unlabelled, *([rows.synthetic] if fake and rows.synthetic is not None else [])]
        sides = [Side(f, coder.features(f.select(columns)), ()) for f in frames]
        made, categories = matrices(sides)
        names = [f.name for f in sides[0].features]
        return cls(made[0], made[1], made[2] if len(made) > 2 else None, names, categories)


def covariates(rows: Rows, asked: Asked, *, fake: bool) -> tuple[list[str], list[str]]:
    """Return the columns that a predictor may see, and those left out because they are missing in other rows.

    A column of the outcome is seen only where every row holds it: a prediction must be made in the same way for rows
    with and without the outcome, or the gap between the two is no longer zero on average.

    Parameters
    ----------
    fake : bool
        Whether the synthetic rows must hold the columns too.
    """
    shared = [c for c in rows.labelled.columns if c in rows.unlabelled.columns]
    if fake and rows.synthetic is not None:
        shared = [c for c in shared if c in rows.synthetic.columns]
    shared = [c for c in shared if c not in asked.columns or not (
        rows.labelled[c].null_count() or rows.unlabelled[c].null_count())]
    odd = unevenly_missing(rows, shared)
    return [c for c in shared if c not in odd], odd


def unevenly_missing(rows: Rows, columns: list[str]) -> list[str]:
    """Return those of the columns that are missing clearly more often in labelled or in unlabelled rows."""
    both = columns if rows.unlabelled.height else []
    return [c for c in both if _missing_apart(rows.labelled[c], rows.unlabelled[c])]


def _missing_apart(near: pl.Series, far: pl.Series) -> bool:
    a, b = (s.null_count() / max(len(s), 1) for s in (near, far))
    both = (near.null_count() + far.null_count()) / max(len(near) + len(far), 1)
    error = np.sqrt(both * (1 - both) * (1 / max(len(near), 1) + 1 / max(len(far), 1)))
    return abs(a - b) > max(_APART, _SURE * error)
