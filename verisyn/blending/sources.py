"""What is to be blended: the real rows, and parts of synthetic and open rows, each aligned and with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from verisyn.data import Dataset
from verisyn.memory import Recipe
from verisyn.provenance import Source
from verisyn.schema import Schema, Table

if TYPE_CHECKING:
    from verisyn.model import Model

LEAST = 50
"""Real rows that it takes to find out anything."""


@dataclass(frozen=True)
class Part:
    """Rows of one source that may be added to the real ones.

    Parameters
    ----------
    source : Source
        Its name, kind, generator, generation and licence.
    frame : polars.DataFrame
        The rows, with the real data's columns.
    shared : tuple of str
        The columns for which it has values.
    recipe : Recipe, optional
        How to make the like of it from other real rows.
    """

    source: Source
    frame: pl.DataFrame
    shared: tuple[str, ...]
    recipe: Recipe | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.source.name

    @property
    def what(self) -> str:
        """What it is, in a sentence."""
        return called(self.source.kind, self.name)


@dataclass(frozen=True)
class Stock:
    """All that is to be blended.

    Parameters
    ----------
    data : Dataset
        The real data as it was read.
    schema : Schema
    source : Source
        The real rows' provenance.
    parts : tuple of Part
    validation : polars.DataFrame, optional
        Real rows that no generator saw.
    notes : tuple of str
        What it took, and what should be known.
    """

    data: Dataset
    schema: Schema
    source: Source
    parts: tuple[Part, ...]
    validation: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()

    @property
    def real(self) -> pl.DataFrame:
        """The real rows."""
        return self.data.frame

    @property
    def table(self) -> Table:
        """What each column is."""
        return self.schema.table


def called(kind: str, name: str) -> str:
    """Return what a source is called in a sentence.

    Examples
    --------
    >>> called("open", "census")
    "the open data 'census'"
    """
    return f"the {kind} data {name!r}"


@dataclass(frozen=True)
class Given:
    """What the caller gave, as it was given."""

    real: Any
    synthetic: Any = None
    open: Any = None
    validation: Any = None
    model: Model | None = None
    generator: str | None = None
    target: str | None = None
    licences: Mapping[str, str] | None = None
    most: float = 2.0
    seed: int = 0
    jobs: int | None = None
