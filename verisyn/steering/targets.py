"""Wanted shares, means and quantiles: published figures that the rows are calibrated to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from verisyn.errors import UserError
from verisyn.findings import Finding
from verisyn.steering._arithmetic import check
from verisyn.steering._entries import read
from verisyn.steering._where import Masks
from verisyn.steering._yaml import load
from verisyn.steering.figures import Figure, Seen
from verisyn.steering.outcomes import Outcome, finding, notes
from verisyn.steering.tilt import Tilt

Wanted = Mapping[str, Any] | Sequence[Any] | str | Path
"""A column with its mean, a column with the shares of some of its levels, a condition with its share; or a list of
published figures, or what a file of them holds (``docs/targets.md``)."""


_NARROWER = 0.9


@dataclass(frozen=True)
class Targets:
    """What is wanted of all rows together.

    Parameters
    ----------
    figures : tuple of Figure
    title : str
        What they are figures of.
    """

    figures: tuple[Figure, ...]
    title: str = ""

    @classmethod
    def read(cls, wanted: Wanted, columns: Sequence[str]) -> Targets:
        """Check targets.

        Parameters
        ----------
        wanted : mapping, list, path or str
            A simple mapping, a list of figures, a mapping with such a list as ``targets``, or a file or YAML text.
        columns : sequence of str
            The columns that may be named.

        Examples
        --------
        >>> wanted = {"age": 45, "income": {">50K": 0.5}, "age < 30": 0.2}
        >>> [str(figure) for figure in Targets.read(wanted, ["age", "income"]).figures]
        ['mean of age', "share of `income` == '>50K'", 'share of age < 30']
        >>> published = [{"share": "income == '>50K'", "by": {"age": {"18-29": "6%", "30+": 0.29}}, "tolerance": 0.01}]
        >>> [(f.within.text, f.wanted) for f in Targets.read(published, ["age", "income"]).figures]
        [('`age` in 18-29', 0.06), ('`age` in 30+', 0.29)]

        Raises
        ------
        UserError
            If an entry cannot be read, names an unknown column, or contradicts another whatever the data; the sentence
            names the entry.
        """
        wanted = read_targets(wanted) if isinstance(wanted, str | Path) else wanted
        figures, told = read(wanted, columns)
        check(figures)
        return cls(figures, told.title)

    # -- what rows have of it ---------------------------------------------------------------------------------------
    def seen(self, frame: pl.DataFrame) -> tuple[Seen, ...]:
        """Return what each figure sees of a frame."""
        masks = Masks(frame)
        found = []
        for figure in self.figures:
            try:
                found.append(figure.seen(masks))
            except UserError as e:
                raise UserError(f"Target {figure.entry}: {e}") from None
        return tuple(found)

    def placed(self, seen: Sequence[Seen]) -> Targets:
        """Return the targets as they are to be asked of a model whose rows were seen."""
        return replace(self, figures=tuple(f.placed(own) for f, own in zip(self.figures, seen, strict=True)))

    def centred(self, seen: Sequence[Seen]) -> np.ndarray:
        """Return (rows, figures): values less what is wanted, 0 where a row does not count; their means are to be 0."""
        return np.column_stack([f.centred(own) for f, own in zip(self.figures, seen, strict=True)])

    def slack(self, seen: Sequence[Seen], rows: int) -> np.ndarray:
        """Return how far from 0 the means over so many rows may be: by the tolerance, else three standard errors.

        A little less, because the groups of the rows that are chosen are not exactly as large as those seen here.
        """
        found = []
        for figure, own in zip(self.figures, seen, strict=True):
            tolerance = figure.tolerance or max(figure.margin(own, rows), 1e-12)
            slack = replace(figure, tolerance=tolerance).slack(own, np.ones(len(own.values)))
            found.append(max(_NARROWER * slack, 1e-12))
        return np.array(found)

    # -- how it was met ---------------------------------------------------------------------------------------------
    def outcomes(self, frame: pl.DataFrame, before: pl.DataFrame | None = None) -> list[Outcome]:
        """Say how rows meet the targets; without a tolerance of its own a figure may be off by three standard errors.

        Parameters
        ----------
        frame : DataFrame
            The rows that were drawn.
        before : DataFrame, optional
            Rows that the model draws without wishes.
        """
        without = [None] * len(self.figures) if before is None else self._got(before)
        seen, got = self.seen(frame), self._got(frame)
        return [Outcome(f, value, f.tolerance or f.margin(own, frame.height), frame.height, int(own.counted.sum()), was)
                for f, own, value, was in zip(self.figures, seen, got, without, strict=True)]

    def _got(self, frame: pl.DataFrame) -> list[float]:
        ones = np.ones(frame.height)
        return [f.got(own, ones) if frame.height else math.nan
                for f, own in zip(self.figures, self.seen(frame), strict=True)]

    def notes(self, frame: pl.DataFrame) -> list[tuple[str, bool]]:
        """Say in sentences how rows meet the targets; and of each, whether it needs attention."""
        return notes(self.outcomes(frame))

    def finding(self, before: pl.DataFrame, after: pl.DataFrame) -> Finding:
        """Answer whether the published figures are met, for a report.

        Parameters
        ----------
        before : DataFrame
            Rows that the model draws without wishes.
        after : DataFrame
            The rows that were drawn towards the targets.
        """
        return finding(self.outcomes(after, before), self.title)


def read_targets(text: str | Path) -> dict[str, Any] | list[Any]:
    """Read what the command line gives: YAML or JSON, inline or in a file.

    Examples
    --------
    >>> read_targets("{income: {'>50K': 0.5}, age: 45}")
    {'income': {'>50K': 0.5}, 'age': 45}
    >>> read_targets("[{share: smoker == 'yes', by: {owner: {yes: 0.2, no: 0.3}}}]")
    [{'share': "smoker == 'yes'", 'by': {'owner': {'yes': 0.2, 'no': 0.3}}}]

    Raises
    ------
    UserError
        If it is neither a mapping nor a list.
    """
    path, name = Path(text), str(text)
    try:
        filed = path.suffix.lower() in {".yaml", ".yml", ".json"}
        found = load(path.read_text(encoding="utf-8") if filed else name)
    except FileNotFoundError:
        raise UserError(f"There is no targets' file {name!r}.") from None
    except (OSError, UnicodeDecodeError) as e:
        raise UserError(f"The targets' file {name!r} cannot be read: {getattr(e, 'strerror', None) or e}.") from None
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f" (line {mark.line + 1}: {getattr(e, 'problem', None) or 'not valid'})" if mark else ""
        raise UserError(f"The targets {name!r} could not be read{where}. {_EXAMPLE}") from None
    if not isinstance(found, dict | list):
        raise UserError(f"The targets {name!r} could not be read. {_EXAMPLE}")
    return {str(key): wish for key, wish in found.items()} if isinstance(found, dict) else found


_EXAMPLE = ("Write them like: {age: 45, income: {'>50K': 0.5}, 'age < 30': 0.2}, or as a list of figures, or give a "
            "YAML file.")
__all__ = ["Outcome", "Targets", "Tilt", "Wanted", "read_targets"]
