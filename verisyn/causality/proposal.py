"""causes(): propose from data which column is a cause of which, each arrow with its evidence, to be confirmed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from verisyn.causality.classes import Arrow, colliders, completed, directed
from verisyn.causality.embedding import Embedded
from verisyn.causality.search import Scores, best_order
from verisyn.causality.told import Causes
from verisyn.data import read
from verisyn.description import _TARGET_NAMES, resolve_schema
from verisyn.errors import UserError, did_you_mean
from verisyn.frames import some
from verisyn.kinds import BaseCoder
from verisyn.metrics._groups import MOMENT
from verisyn.modalities.table._views import TableCoder
from verisyn.progress import Progress
from verisyn.schema import Cause, Schema, Table

_MOST_ROWS = 50_000
_ALL_PAIRS, _NEAREST = 40, 12
"""In a wider table a column may have arrows only with so many others, those that it goes with most."""
_WEAK = 0.05
_HALVES, _STEADY = 10, 8
"""The search is done again on so many halves of the rows: half of them must join two columns, and so many tell a
direction."""
_SEED = 0xCA5E


def causes(data: Any, schema: Schema | str | Path | None = None, *, target: str | None = None,
           first: str | Sequence[str] = (), last: str | Sequence[str] = (), progress: Progress | None = None) -> Causes:
    """Propose which column is a cause of which; an order from data is a guess, so a person must confirm it.

    Parameters
    ----------
    data : Dataset, dataframe, path or URL
        What :func:`verisyn.read` takes. At most 50 000 rows, drawn uniformly, are looked at.
    schema : Schema or path, optional
        Without it the data is described first.
    target : str, optional
        A column that nothing else is an effect of. By default the schema's; where there is no schema, a column of a
        telling name (``target``, ``label``, ``income``, …).
    first : str or sequence of str
        Columns that are an effect of no other columns but these. Sensitive columns (age, sex, origin) and dates are
        added, unless they are in `last`.
    last : str or sequence of str
        Columns that are causes of none but these.
    progress : Progress, optional
        Shows and records the stages.

    Returns
    -------
    Causes
        Not confirmed: :func:`verisyn.fit` refuses it until ``confirm()`` is called, or the file that ``save()`` writes
        says ``confirmed: true``. Each arrow tells how strongly the two columns go together given the effect's other
        causes (0 to 1), by how much it raises the score (BIC, in nats), and who says its direction.

    Raises
    ------
    UserError
        If a column is unknown, or first and last at once; or if no two columns go together.

    Notes
    -----
    The order of columns is sought that explains their correlations with the fewest arrows (best order score search,
    Andrews et al. 2023), by the BIC of Gaussian regressions on normal scores, their squares and indicators of levels
    (Andrews, Ramsey and Cooper 2019). Many graphs explain the same data equally well; an arrow whose direction differs
    between them is marked "direction not told by the data" and points from the earlier column of the table. So marked
    is also what fewer than 8 of 10 halves of the rows tell (stability selection, Meinshausen and Bühlmann 2010). A
    cause that is no column at all is never found, and can make any arrow wrong. Arrows weaker than 0.05, or
    that fewer than half of the halves have, are left out.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rain, sprinkler = rng.random(4000) < 0.3, rng.random(4000) < 0.4
    >>> wet = np.where(rain | sprinkler, rng.random(4000) < 0.9, rng.random(4000) < 0.1)
    >>> found = causes(pl.DataFrame({"rain": rain, "sprinkler": sprinkler, "wet": wet}))
    >>> str(found), found.confirmed
    ('rain -> wet; sprinkler -> wet', False)
    """
    dataset, progress = read(data), progress or Progress()
    named = schema is not None or target is not None
    table = resolve_schema(schema, dataset, target=target, progress=progress).table
    first, last = ([names] if isinstance(names, str) else names for names in (first, last))
    last = [*last, *([table.target] if _comes_last(table, named, first, last) and table.target else [])]
    with progress.stage("propose causes"):
        frame = some(dataset.frame, _MOST_ROWS, np.random.default_rng(_SEED)).select(table.names)
        found = _Proposal.of(frame, table, first, last)
        arrows = [*found.arrows(), *found.recomputed()]
    if not arrows:
        raise UserError("No two columns go together in these data, so there is nothing to propose. Say what you know: "
                        "causes='age -> income'.")
    return Causes(tuple(arrows), False, tuple(found.notes()))


def _comes_last(table: Table, named: bool, first: Sequence[str], last: Sequence[str]) -> bool:
    target = table.target
    return target not in {None, *first, *last} and (named or str(target).lower() in _TARGET_NAMES)


@dataclass(frozen=True)
class _Proposal:
    """A table's learnt columns, in tiers of time, and how well arrows between them explain the data."""

    table: Table
    coders: tuple[BaseCoder, ...]
    tier: tuple[int, ...]
    embedded: Embedded
    everything: tuple[BaseCoder, ...]

    @classmethod
    def of(cls, frame: pl.DataFrame, table: Table, first: Sequence[str], last: Sequence[str]) -> _Proposal:
        for name in (*first, *last):
            if name not in table.names:
                raise UserError(f"There is no column {name!r} to come first or last. {did_you_mean(name, table.names)}")
        if both := [name for name in first if name in last]:
            raise UserError(f"The column {both[0]!r} is to come both first and last. Choose one.")
        everything = tuple(TableCoder.learn(frame, table, np.random.SeedSequence(_SEED)).coders)
        able = [c for c in everything if c.learnt and not c.needs]
        units = [[f for f in c.features(frame) if f.name not in c.recomputed] for c in able]
        varied, embedded = Embedded.of(units, frame.height).varied()
        coders = tuple(able[i] for i in varied)
        moments = {f.name for unit in units for f in unit if f.unit == MOMENT}
        tiers = tuple(_tier(c, table, moments, first, last) for c in coders)
        return cls(table, coders, tiers, embedded, everything)

    def arrows(self) -> list[Cause]:
        """Return the proposed arrows, in the order of the table."""
        scores, found = self._search(self.embedded)
        halves = [self._half(child) for child in np.random.SeedSequence(_SEED).spawn(_HALVES)]
        found = {(a, b) for a, b in found
                 if sum(bool({(a, b), (b, a)} & half) for half, _ in halves) >= _HALVES / 2}
        known = self._known(found)
        final = directed(found, known, range(len(self.coders)))
        evidence = _Evidence(scores, final, self.tier, completed(found, known), tuple(halves))
        return [evidence.of(arrow, self._name) for arrow in sorted(evidence.arrows, key=lambda ab: (ab[1], ab[0]))]

    def _search(self, embedded: Embedded) -> tuple[Scores, set[Arrow]]:
        """Return the arrows that explain the data best, but weak ones."""
        columns = len(self.coders)
        scores = Scores.of(embedded, _NEAREST if columns > _ALL_PAIRS else columns)
        order = best_order(scores, [[i for i, tier in enumerate(self.tier) if tier == t] for t in range(3)])
        causes_of = {b: scores.best(b, order[:at])[1] for at, b in enumerate(order)}
        return scores, {(a, b) for b, own in causes_of.items() for a in own
                        if scores.strength(b, a, own - {a}) >= _WEAK}

    def _half(self, seed: np.random.SeedSequence) -> tuple[set[Arrow], set[Arrow]]:
        """Return the arrows that half of the rows give, and those of them whose direction they tell."""
        _, found = self._search(self.embedded.half(np.random.default_rng(seed)))
        return found, completed(found, self._known(found))

    def _known(self, arrows: set[Arrow]) -> set[Arrow]:
        """Return the arrows whose direction is known: by an effect of two causes, or by time."""
        return colliders(arrows) | {(a, b) for a, b in arrows if self.tier[a] != self.tier[b]}

    def _name(self, place: int) -> str:
        """The column that stands for a coder: the first that is not recomputed."""
        own = self.coders[place]
        return next((name for name in own.columns if name not in own.recomputed), own.columns[0])

    def recomputed(self) -> list[Cause]:
        """Return the arrows that a constraint makes certain."""
        return [Cause(cause=need, effect=own.columns[0], direction="recomputed",
                      evidence="a constraint computes the effect from the cause, and others, in every row")
                for own in self.everything for need in own.needs if need in self.table.names]

    def notes(self) -> list[str]:
        """Return what a person should know who confirms the arrows."""
        tiers = [[self._name(i) for i, tier in enumerate(self.tier) if tier == t] for t in (0, 2)]
        said = [f"Proposed from {self.embedded.rows:,} rows. Taken to come first: "
                f"{', '.join(tiers[0]) or 'none'}; last: {', '.join(tiers[1]) or 'none'}."]
        told = {n for c in self.everything if c in self.coders or c.needs for n in c.columns}
        if left_out := [name for name in self.table.names if name not in told]:
            said.append(f"Left out, because their values are not learnt or never vary: {', '.join(left_out)}.")
        joined = [" and ".join(c.columns) for c in self.coders if len(c.columns) > 1]
        if joined:
            said.append(f"These count as one, because they are learnt together: {'; '.join(joined)}.")
        return said


@dataclass(frozen=True)
class _Evidence:
    """What speaks for arrows: in all rows, and in halves of them."""

    scores: Scores
    arrows: set[Arrow]
    tier: tuple[int, ...]
    told: set[Arrow]
    halves: tuple[tuple[set[Arrow], set[Arrow]], ...]

    def of(self, arrow: Arrow, name: Callable[[int], str]) -> Cause:
        """Return an arrow with its evidence."""
        cause, effect = arrow
        causes = frozenset(a for a, b in self.arrows if b == effect)
        others = causes - {cause}
        strength = self.scores.strength(effect, cause, others)
        gain = self.scores.local(effect, causes) - self.scores.local(effect, others)
        direction, why = self._direction(arrow)
        given = f" given {len(others)} other cause{'s' if len(others) > 1 else ''}" if others else ""
        evidence = f"go together by {strength:.2f} of 1{given}; {self._joined(arrow)}; {why}"
        return Cause(cause=name(cause), effect=name(effect), direction=direction, strength=round(strength, 3),
                     gain=round(gain, 1), evidence=evidence)

    def _joined(self, arrow: Arrow) -> str:
        joined = sum(bool({arrow, arrow[::-1]} & found) for found, _ in self.halves)
        return f"joined in {joined} of {len(self.halves)} halves of the rows"

    def _direction(self, arrow: Arrow) -> tuple[str, str]:
        if self.tier[arrow[0]] != self.tier[arrow[1]]:
            return "background", "what comes first or last says the direction"
        steady = sum(arrow in told for _, told in self.halves)
        if arrow not in self.told:
            return "open", "direction not told by the data: the other way fits as well"
        if steady < _STEADY:
            return "open", f"direction not told by the data: only {steady} of the halves tell this one"
        return "data", f"{steady} of the halves tell this direction, if no common cause is left out"


def _tier(coder: BaseCoder, table: Table, moments: Collection[str], first: Sequence[str], last: Sequence[str]) -> int:
    """0 for what comes first, 2 for what comes last, 1 for the rest."""
    own = set(coder.columns)
    if own & set(first) or own & set(last):
        return 0 if own & set(first) else 2
    early = any(table.column(n).sensitive or n in moments for n in own - set(coder.recomputed))
    return 0 if early else 1
