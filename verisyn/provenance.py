"""Where rows come from: real, open, synthetic or derived; by which generator, in which generation, by which licence.

A generator that is fitted to the output of generators loses a little more of the real data each time; nobody can see
that from the rows. So each synthetic table carries its provenance: in columns of its own where rows of several sources
stand together, in the file's metadata where the format has such, and in a manifest beside the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import polars as pl

from verisyn.errors import UserError, did_you_mean

COLUMNS = ("verisyn_source", "verisyn_kind", "verisyn_generator", "verisyn_generation", "verisyn_licence")
KINDS = ("real", "open", "synthetic", "derived")
MANIFEST = ".provenance.json"


@dataclass(frozen=True)
class Source:
    """Rows of one origin.

    Parameters
    ----------
    name : str
        What to call them.
    kind : {"real", "open", "synthetic", "derived"}
        ``"open"`` is real data that anyone may have; ``"derived"`` rows are made from single real rows (noise, SMOTE,
        mixup, filled gaps) and are as confidential as those.
    rows : int
    generator : str, default ""
        What made them, such as ``"table.trees"``.
    generation : int, default 0
        0: real; 1: from a generator fitted to generation 0; and so on.
    licence : str, default ""
        Under which the rows may be used.

    Raises
    ------
    UserError
        If the kind is unknown, or the generation or rows are below 0.

    Examples
    --------
    >>> Source("adult", "synthetic", 1000, "table.trees", 1).generation
    1
    """

    name: str
    kind: str
    rows: int
    generator: str = ""
    generation: int = 0
    licence: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"The provenance of {self.name!r} is of the kind {self.kind!r}, which is none. "
                            f"{did_you_mean(self.kind, KINDS)}")
        if self.rows < 0 or self.generation < 0:
            raise UserError(f"The provenance of {self.name!r} has {self.rows} rows of generation {self.generation}; "
                            "neither can be below 0.")


@dataclass(frozen=True)
class Provenance:
    """Where the rows of a table come from: one source, or several that were put together.

    Examples
    --------
    >>> mix = Provenance((Source("hospital", "real", 300), Source("twin", "synthetic", 700, "table.trees", 2)))
    >>> mix.generation, mix.synthetic_share
    (2, 0.7)
    >>> Provenance.from_dict(mix.to_dict()) == mix
    True
    """

    sources: tuple[Source, ...]

    @property
    def rows(self) -> int:
        """Rows of all sources."""
        return sum(s.rows for s in self.sources)

    @property
    def generation(self) -> int:
        """The highest generation among the rows; 0 where all are real."""
        return max((s.generation for s in self.sources), default=0)

    @property
    def synthetic_share(self) -> float:
        """The share of rows, 0 to 1, that are synthetic or derived."""
        return self.share("synthetic", "derived")

    def share(self, *kinds: str) -> float:
        """Return the share of rows, 0 to 1, that are of these kinds."""
        return sum(s.rows for s in self.sources if s.kind in kinds) / max(self.rows, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {"generation": self.generation, "synthetic_share": round(self.synthetic_share, 6),
                "sources": [asdict(s) for s in self.sources]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`.

        Raises
        ------
        UserError
            If a source is of an unknown kind.
        KeyError, TypeError, ValueError
            If it has another form.
        """
        known = {f.name for f in fields(Source)}
        given = [{k: v for k, v in s.items() if k in known} for s in told["sources"]]
        return cls(tuple(Source(**{**s, "rows": int(s["rows"]), "generation": int(s.get("generation", 0))})
                         for s in given))

    def made(self, generator: str, rows: int, name: str) -> Provenance:
        """Return the provenance of rows drawn from a generator that was fitted to rows of this one.

        Examples
        --------
        >>> real("adult", 500).made("table.trees", 100, "adult").generation
        1
        """
        return Provenance((Source(name, "synthetic", rows, generator, self.generation + 1, self.licence),))

    def completed(self, rows: int, of: int, generator: str, generation: int) -> Provenance:
        """Return the provenance of `of` rows of this one, in `rows` of which a generator has filled cells.

        Such a row is made from a single real one, and part of it was never observed: it is derived. Which rows they
        are is not known here, so that all sources are taken to have given their part.

        Examples
        --------
        >>> real("survey", 500).completed(100, 500, "table.trees", 1).told()
        '80 % real, 20 % derived; generation 1'
        """
        kept = [replace(s, rows=round(s.rows * (of - rows) / max(self.rows, 1))) for s in self.sources]
        name, rest = self.sources[0].name if self.sources else "data", of - sum(s.rows for s in kept)
        done = Source(name, "derived", max(rest, 0), generator, max(generation, self.generation), self.licence)
        return Provenance((*(s for s in kept if s.rows), done)) if rows else self

    @property
    def licence(self) -> str:
        """The licences of all sources, each once."""
        return " and ".join(dict.fromkeys(s.licence for s in self.sources if s.licence))

    def told(self) -> str:
        """Return the rows by kind in a few words.

        Examples
        --------
        >>> Provenance((Source("a", "real", 300), Source("b", "synthetic", 700, generation=2))).told()
        '30 % real, 70 % synthetic; generation 2'
        """
        shares = [f"{self.share(kind):.0%} {kind}".replace("%", " %") for kind in KINDS if self.share(kind)]
        return f"{', '.join(shares) or 'no rows'}; generation {self.generation}"


def real(name: str, rows: int) -> Provenance:
    """Return the provenance of data that says nothing of its own: it is taken for real.

    Examples
    --------
    >>> real("adult", 500).generation
    0
    """
    return Provenance((Source(name, "real", rows),))


# -- in columns: rows of several sources ------------------------------------------------------------------------------
def of_rows(frame: pl.DataFrame) -> Provenance | None:
    """Return what the columns ``verisyn_kind``, ``verisyn_source``, … tell; None where they are not there.

    Raises
    ------
    UserError
        If a row's kind is missing or unknown, or its generation is no whole number.

    Examples
    --------
    >>> rows = with_columns(pl.DataFrame({"age": [31, 47]}), Source("adult", "synthetic", 2, "table.trees", 1))
    >>> of_rows(rows).synthetic_share
    1.0
    """
    if "verisyn_kind" not in frame.columns:
        return None
    there = [c for c in COLUMNS if c in frame.columns]
    counts = frame.group_by(there, maintain_order=True).len("rows")
    return Provenance(tuple(_source(row) for row in counts.iter_rows(named=True)))


def without_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame less the provenance columns.

    Examples
    --------
    >>> without_columns(pl.DataFrame({"age": [31], "verisyn_kind": ["real"]})).columns
    ['age']
    """
    return frame.drop([c for c in COLUMNS if c in frame.columns])


def with_columns(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Return the frame with provenance columns that say the same source for all its rows.

    Examples
    --------
    >>> with_columns(pl.DataFrame({"age": [31]}), Source("hospital", "real", 1)).row(0)
    (31, 'hospital', 'real', '', 0, '')
    """
    values = (source.name, source.kind, source.generator, source.generation, source.licence)
    types = (pl.String, pl.String, pl.String, pl.Int64, pl.String)
    return without_columns(frame).with_columns(
        pl.lit(value, dtype=dtype).alias(name) for name, value, dtype in zip(COLUMNS, values, types, strict=True))


def _source(row: dict[str, Any]) -> Source:
    """A text file has turned empty texts into missing values, and a spreadsheet whole numbers into floats."""
    kind, generation = row["verisyn_kind"], row.get("verisyn_generation")
    if kind not in KINDS:
        raise UserError(f"The column 'verisyn_kind' holds {kind!r} in {row['rows']:,} rows; one of "
                        f"{', '.join(map(repr, KINDS))} was expected. Mend the column, or drop it.")
    try:
        number = int(kind == "synthetic") if generation in (None, "") else int(generation)
        if number < 0 or float(generation or number) != number:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"The column 'verisyn_generation' holds {generation!r}; whole numbers from 0 were expected. "
                        "Mend the column, or drop it.") from None
    name, generator, licence = (str(row.get(f"verisyn_{c}") or "") for c in ("source", "generator", "licence"))
    return Source(name, kind, row["rows"], generator, number, licence)


# -- beside a file ----------------------------------------------------------------------------------------------------
def manifest_path(path: str | Path) -> Path:
    """Return where the manifest of a data file is: beside it, under its whole name.

    Examples
    --------
    >>> manifest_path("made/adult.csv").as_posix()
    'made/adult.csv.provenance.json'
    """
    path = Path(path)
    return path.with_name(path.name + MANIFEST)
