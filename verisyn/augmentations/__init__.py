"""SHELF rows derived from real ones: each moves one real row a little, or lies between two. That is not synthesis.

A synthetic row is drawn from a model of all rows; a derived row hangs on the one or two real rows it was made from, and
is as confidential as they are. A method is one file. It holds

- a docstring whose first line says what the method does;
- a frozen dataclass ``Method(BaseMethod)``: its fields are its settings, each with a default.

A method says how cells are made (`derive`); how many rows of which class are wanted, new ids and personal data, and the
constraints of the schema are seen to by :mod:`verisyn.augmentations._making`, for all methods alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from verisyn.errors import UserError

if TYPE_CHECKING:
    from verisyn.augmentations._real import Real


@dataclass(frozen=True)
class Wanted:
    """How many rows are wanted, and of which classes.

    Parameters
    ----------
    rows : int, optional
        New rows in all; by default as many as there are real ones, or as few as bring the classes to their shares.
    shares : mapping, optional
        The share of some levels of the target among real and new rows together.
    """

    rows: int | None = None
    shares: Mapping[Any, float] | None = None


@dataclass(frozen=True)
class Made:
    """What a method made.

    Parameters
    ----------
    frame : DataFrame
        The derived rows.
    notes : sequence of str
        What is to be said of them.
    mask : DataFrame, optional
        Which cells were taken out, for a method that takes out cells.
    copies : int
        Rows that are the same as a real one in every learnt column.
    """

    frame: pl.DataFrame
    notes: Sequence[str] = ()
    mask: pl.DataFrame | None = None
    copies: int = 0


@dataclass(frozen=True)
class BaseMethod(ABC):
    """A way to derive rows from real rows.

    Laws (``tests/test_augment.py`` runs them over every method): data types and constraints stay; the same seed gives
    the same rows; no id and no personal data of a real row comes back, except where a method hands its rows back.
    """

    balances: ClassVar[bool] = False
    """Whether new rows go to the smaller classes of the target, where nothing else is asked."""
    shares: ClassVar[bool] = True
    """Whether a derived row is of the class of its real row, so that shares of classes can be asked for."""
    least: ClassVar[int] = 1
    """Real rows of a class without which nothing can be derived."""

    @abstractmethod
    def derive(self, real: Real, base: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Return a row for each of `base`, int (rows,), which are places of real rows.

        It has all columns of ``real.frame`` but those that are made anew or recomputed; :class:`Real` says which.
        """

    def make(self, real: Real, wanted: Wanted, seed: np.random.SeedSequence) -> Made:
        """Derive as many rows as are wanted; a method that does not go about it row by row does so in its own way."""
        from verisyn.augmentations._making import made

        return made(self, real, wanted, seed)


def share(name: str, value: object, least: float = 0.0, most: float = 1.0) -> float:
    """Return a setting that must be a number above `least`, up to `most`.

    Raises
    ------
    UserError
        If it is something else.

    Examples
    --------
    >>> share("swap", 0.1)
    0.1
    """
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if not least < number <= most:
        upto = f"up to {most:g}" if np.isfinite(most) else "of any size"
        raise UserError(f"{name} is {value!r}; a number above {least:g}, {upto}, was expected.")
    return float(number)
