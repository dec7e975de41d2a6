"""stress(): rows that are hard on software, and yet valid against the schema; each says which case it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn import shelves
from verisyn._manifest import attach
from verisyn.augmenting import like
from verisyn.errors import UserError, whole_number
from verisyn.frames import from_polars
from verisyn.progress import Progress, WarningProgress
from verisyn.schema import Schema
from verisyn.stresses import Case
from verisyn.stresses._ground import Ground, ground_of
from verisyn.stresses._pairs import all_pairs, met
from verisyn.stresses._rows import Rows, rows_of, with_new_keys

KINDS = ("boundaries", "edges", "extremes", "missing", "rare", "unseen")
COLUMN = "stress_case"
_TOLD = 5


def stress(source: Any, *, rows: int | None = None, kinds: str | Sequence[str] = KINDS, pairs: bool = False,
           cases: bool = False, schema: Schema | str | Path | None = None, seed: int = 0,
           progress: Progress | None = None) -> Any:
    """Make edge cases for testing software, valid against the schema.

    Each row is one case: a plausible row, drawn from a model, in which a few cells are set on purpose; what depends on
    them follows. A case of which no valid row can be made is left out, and counted. No row is a real row: the ends of
    columns are the schema's limits, or values that enough rows share, and rare combinations of levels stand in rows
    that are not theirs.

    Parameters
    ----------
    source : data, Model or Schema
        What :func:`verisyn.read` takes; or a fitted model, or the folder of one; or a schema, or its YAML file: then no
        data is needed, and combinations that are rare or never seen cannot be told.
    rows : int, optional
        How many rows. By default one for each case; more repeat the cases in other rows, fewer take of each kind alike.
    kinds : sequence of str
        ``"boundaries"`` (each column's ends, zero, each level, leap days, odd texts), ``"edges"`` (where a constraint
        just holds), ``"extremes"`` (everything at its largest), ``"missing"`` (whatever may be), ``"rare"`` (pairs and
        triples of levels that few rows have, yet five or more), ``"unseen"`` (pairs that no row has and no constraint
        forbids).
    pairs : bool, default False
        Whether to add rows in which every two values of any two columns meet (pairwise coverage).
    cases : bool, default False
        Whether to return, besides, the catalogue: for each row its case, the columns it is about, and why.
    schema : Schema or path, optional
        For data; without it the data is described first.
    seed : int, default 0
        The same source, options, seed and version give the same bytes.
    progress : Progress, optional
        Shows and records the stages; what was left out is in its ``notes``.

    Returns
    -------
    dataframe, or a pair of them with `cases`
        Of the kind that the source is, or that the model was fitted on; polars for a schema or a file.

    Raises
    ------
    UserError
        If the source cannot be read, a name is unknown, or no case can be made.

    References
    ----------
    Cohen, Dalal, Fredman and Patton, "The AETG system", IEEE Trans. Softw. Eng. 23(7), 1997.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"age": [31, 47, 30, 52, None, 60] * 20, "smoker": ["yes", "no", "no"] * 40})
    >>> edge, catalogue = stress(frame, kinds="boundaries", cases=True)
    >>> catalogue.filter(pl.col("columns") == "age")["case"].to_list()[:2]
    ['the smallest value allowed', 'one step above the smallest value allowed']
    """
    made = stressed(source, rows=rows, kinds=kinds, pairs=pairs, schema=schema, seed=seed,
                    progress=progress or WarningProgress())
    given_back = attach(from_polars(made.frame, made.ground.origin), made.ground.provenance(made.frame.height))
    return (given_back, like(made.catalogue, made.ground.origin.native)) if cases else given_back


@dataclass(frozen=True)
class Stressed:
    """Edge cases, and all that is to be said of them.

    Parameters
    ----------
    frame : DataFrame
    catalogue : DataFrame
        A row for each row: `row` (from 1), `kind`, `columns`, `case`, `why`.
    left_out : dict
        How many cases of each kind could not be made valid.
    coverage : (int, int), optional
        Pairs of values that meet, of all.
    notes : tuple of str
    ground : Ground
    """

    frame: pl.DataFrame
    catalogue: pl.DataFrame
    left_out: dict[str, int]
    coverage: tuple[int, int] | None
    notes: tuple[str, ...]
    ground: Ground

    def labelled(self) -> pl.DataFrame:
        """Return the rows with a last column that says each row's case.

        Raises
        ------
        UserError
            If the data has a column of that name.
        """
        if COLUMN in self.frame.columns:
            raise UserError(f"The data has a column {COLUMN!r} already. Read the cases from the file beside.")
        about = pl.when(pl.col("columns") == "").then(pl.lit("")).otherwise(pl.col("columns") + ": ")
        return self.frame.with_columns(self.catalogue.select((about + pl.col("case")).alias(COLUMN)).to_series())

    def counts(self) -> dict[str, dict[str, int]]:
        """Return for each kind how many rows there are of each case."""
        found: dict[str, dict[str, int]] = {}
        for kind, case, count in self.catalogue.group_by("kind", "case", maintain_order=True).len().iter_rows():
            found.setdefault(kind, {})[case] = count
        return found


def stressed(source: Any, *, rows: int | None, kinds: str | Sequence[str], pairs: bool,
             schema: Schema | str | Path | None, seed: int, progress: Progress) -> Stressed:
    """Make edge cases as a polars frame, with all that is to be said of them; see :func:`stress`."""
    whole_number("seed", seed, 0)
    rows = None if rows is None else whole_number("rows", rows, 1)
    if rows is not None and pairs:
        raise UserError("All pairs take as many rows as they take, so rows cannot be asked for besides. Leave one out.")
    names = _names(kinds)
    know, make, pair, keys = np.random.SeedSequence(seed).spawn(4)
    ground = ground_of(source, schema, know, progress)
    notes = [*ground.notes]
    asked = _asked(ground, names, notes)
    with progress.stage("make cases"):
        made, own = _rows(ground, asked, rows, make)
    if pairs:
        with progress.stage("cover pairs"):
            made, own = _joined(made, own, *all_pairs(ground, pair))
    made = made.only(~ground.coder.rules.broken(made.frame))
    if not made.frame.height:
        others = [kind for kind in KINDS if kind not in names]
        hint = f"Ask for others, such as {others[0]!r}." if others else "No column of it has telling values."
        raise UserError(f"No case of these kinds could be made of this source. {hint}")
    labels = [*(kind for kind, _ in asked), *(["pairs"] * (len(own) - len(asked)))]
    kept = [labels[i] for i in made.which]
    made = made.take(np.argsort([list(dict.fromkeys(labels)).index(k) for k in kept], kind="stable"))
    frame = with_new_keys(ground, own, made, np.random.default_rng(keys))
    missed = _missed(asked, made) if rows is None else {}
    coverage = met(ground, frame) if pairs else None
    notes += _told(asked, made, missed, coverage)
    for note in notes:
        progress.note(note)
    return Stressed(frame, _catalogue(own, labels, made), missed, coverage, tuple(notes), ground)


def _names(kinds: str | Sequence[str]) -> list[str]:
    asked = [kinds] if isinstance(kinds, str) else list(kinds)
    if not asked:
        raise UserError(f"No kind of case was asked for. Name some of: {', '.join(KINDS)}.")
    return list(dict.fromkeys(shelves.stresses.full_name(k) for k in asked))


def _asked(ground: Ground, names: list[str], notes: list[str]) -> list[tuple[str, Case]]:
    """The cases of all kinds, each set of cells once."""
    found: dict[tuple, tuple[str, Case]] = {}
    for name in names:
        home = shelves.stresses.take(name)
        if getattr(home, "needs_rows", False) and ground.seen is None:
            notes.append(f"What is {name} can be told by rows alone, and there are none; give data, or a model.")
            continue
        for case in home.cases(ground):
            key = tuple(sorted((n, str(v.to_physical()[0])) for n, v in case.cells.items()))
            found.setdefault((key, case.loose), (name, case))
    return list(found.values())


def _rows(ground: Ground, asked: list[tuple[str, Case]], rows: int | None, seed: np.random.SeedSequence
          ) -> tuple[Rows, list[Case]]:
    cases = [case for _, case in asked]
    made = _at_most(asked, rows_of(ground, cases, seed.spawn(1)[0]))
    if rows is None or not made.frame.height:
        return made, cases
    able = np.unique(made.which)  # what could not be made once is not tried again
    for child in seed.spawn(1 + 2 * rows // len(able)):
        if made.frame.height >= rows:
            break
        more = rows_of(ground, [cases[i] for i in able], child)
        made, _ = _joined(made, cases, replace(more, which=able[more.which]), [])
    return _fewer(made, cases, rows), cases


def _at_most(asked: list[tuple[str, Case]], made: Rows) -> Rows:
    """Leave out the rows of a kind beyond those that are wanted."""
    count: Counter[str] = Counter()
    keep = []
    for row, i in enumerate(made.which):
        kind = asked[i][0]
        count[kind] += 1
        if count[kind] <= _most(kind):
            keep.append(row)
    return made.take(np.array(keep, np.int64))


def _most(kind: str) -> float:
    return getattr(shelves.stresses.take(kind), "most", np.inf)


def _joined(made: Rows, cases: list[Case], more: Rows, others: list[Case]) -> tuple[Rows, list[Case]]:
    """Put rows of further cases behind the others; without further cases, of the same."""
    which = more.which + (len(cases) if others else 0)
    return Rows(pl.concat([made.frame, more.frame]), np.concatenate([made.which, which]),
                [*made.stands, *more.stands]), [*cases, *others]


def _fewer(made: Rows, cases: list[Case], rows: int) -> Rows:
    """Take turns among the columns and cases, so that fewer rows are of all sorts."""
    order = np.arange(made.frame.height)
    if len(order) > rows:
        turn: Counter[tuple] = Counter()
        rank = []
        for i in made.which:
            sort = (tuple(cases[i].cells), cases[i].loose)
            rank.append(turn[sort])
            turn[sort] += 1
        order = np.sort(np.argsort(rank, kind="stable")[:rows])
    return made.take(order)


def _missed(asked: list[tuple[str, Case]], made: Rows) -> dict[str, int]:
    there = set(made.which.tolist())
    return dict(Counter(kind for i, (kind, _) in enumerate(asked) if i not in there and _most(kind) == np.inf))


def _told(asked: list[tuple[str, Case]], made: Rows, missed: dict[str, int], coverage: tuple[int, int] | None
          ) -> list[str]:
    notes, there = [], set(made.which.tolist())
    if missed:
        lost = [f"{', '.join(map(repr, c.cells))}: {c.case}" for i, (kind, c) in enumerate(asked)
                if i not in there and kind in missed]
        more = f"; and {len(lost) - _TOLD} more" if len(lost) > _TOLD else ""
        notes.append(f"{len(lost)} of {len(there) + len(lost)} cases were left out, for no valid row could be made of "
                     f"them: {'; '.join(lost[:_TOLD])}{more}.")
    if coverage:
        over = coverage[1] - coverage[0]
        rest = f"; no valid row could be made of the other {over:,}" if over else ""
        notes.append(f"{coverage[0]:,} of {coverage[1]:,} pairs of values meet in a row{rest}.")
    return notes


def _catalogue(cases: list[Case], labels: list[str], made: Rows) -> pl.DataFrame:
    told = [_stated(cases[i], stands) for i, stands in zip(made.which, made.stands, strict=True)]
    return pl.DataFrame({"row": range(1, len(told) + 1), "kind": [labels[i] for i in made.which],
                         "columns": [", ".join(stands) for stands in made.stands], "case": [c.case for c in told],
                         "why": [c.why for c in told]},
                        schema={"row": pl.Int64, "kind": pl.String, "columns": pl.String, "case": pl.String,
                                "why": pl.String})


def _stated(case: Case, stands: tuple[str, ...]) -> Case:
    if len(stands) == len(case.cells):
        return case
    return replace(case, why=f"{case.why}; the constraints let {len(stands)} of {len(case.cells)} columns stand there")
