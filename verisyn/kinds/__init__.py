"""SHELF what a column can be: recognise it, learn it, turn it into small-integer codes and back.

A kind is one file. It holds

- a docstring whose first line says what the kind is;
- ``recognise(values, name) -> Recognised``, or it raises :class:`Declined` with the reason;
- ``class Coder(BaseCoder)`` that learns the column from training rows;
- optionally ``modelled = False`` for a kind whose values are regenerated, not learnt (ids, personal data, free text);
- optionally ``of_people = True`` for a kind whose values tell who somebody is;
- optionally ``group(columns) -> list[list[Column]]`` for a kind whose columns belong together
  (a latitude and its longitude); without it each column is alone.

Whoever works on codes never asks what kind a column is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.schema import Column

K = 5
"""Rows that must share a value before it may be shown, where a column's setting ``k`` does not say otherwise."""


class Declined(Exception):
    """Raised by ``recognise``: this column is not mine, because …"""


@dataclass(frozen=True)
class Recognised:
    """A kind's claim to a column: how sure it is (0 to 1; the surest kind gets it), what it found, and why."""

    confidence: float
    evidence: str
    settings: dict[str, Any] = field(default_factory=dict)
    sensitive: bool = False


@dataclass(frozen=True)
class Part:
    """One array of codes: values ``0 … size-1``; `missing` is the code of a missing value, or -1.

    `ordered` codes follow the order of the values (a missing code, where there is one, stands last).
    """

    size: int
    ordered: bool
    missing: int = -1


@dataclass(frozen=True)
class Feature:
    """A column as a model or a distance sees it: floats (NaN is missing), or codes of categories when `levels` > 0.

    `labels` names the levels that may be shown to people (``len(labels) <= levels``; the rest are rare or unseen).
    `unit` is ``"seconds since 1970"`` for a moment, ``"seconds"`` for a duration, otherwise empty.
    """

    name: str
    values: np.ndarray
    levels: int = 0
    labels: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Draw:
    """The randomness and context of decoding one block of rows.

    `rng` belongs to this coder and this block. `personas` is one integer a row, shared by all columns of the row,
    so that a first name, a full name and an e-mail of one row can tell of one invented person.
    `start` is the index of the block's first row in the whole sample, so that ids run on from block to block.
    """

    rng: np.random.Generator
    personas: np.ndarray
    start: int = 0

    @property
    def rows(self) -> int:
        """Rows in this block."""
        return len(self.personas)


class BaseCoder(ABC):
    """Learns one column (or one group of columns) on training rows; turns values into codes and codes into values.

    Laws (``tests/laws/test_kinds.py`` runs them over every kind): ``decode(encode(x))`` keeps the distribution, the
    share of missing values and the data type; values not seen in training are encoded without an error (to the
    nearest code of an ordered part, to the code for rare levels otherwise); a coder survives empty, constant,
    all-missing and unicode columns; `state` holds no value that fewer than `k` training rows share.
    """

    kind: ClassVar[str]
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    recomputed: tuple[str, ...] = ()
    """Those of `columns` that follow from the others, or from `needs`: codes do not say them of their own."""
    needs: tuple[str, ...] = ()
    """Columns of other coders without which `decode` cannot give what is recomputed."""

    @property
    def learnt(self) -> bool:
        """Whether the values are learnt, rather than regenerated as ids and personal data are."""
        from verisyn import shelves

        return getattr(shelves.kinds.take(self.kind), "modelled", True)

    @classmethod
    @abstractmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn from the columns of `frame` (only those of this group); settings are in `columns`."""

    @abstractmethod
    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return codes, int32 (rows, len(parts)); a kind that is regenerated has no parts, or just 'missing?'."""

    @abstractmethod
    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Return the columns, with their names and the data types they were read with."""

    @abstractmethod
    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return the columns at full precision for judges; unseen categories share one extra level.

        A kind whose values are regenerated (ids, personal data, free text) gives only whether a value is missing,
        as a category of two levels, and only where training had missing values.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return everything needed to restore the coder: JSON values, and NumPy arrays (no object arrays)."""

    @classmethod
    @abstractmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Rebuild a coder from `state`."""

