"""Tails beyond the greatest observed value: a column ends with a fitted generalised Pareto distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.conditions import Condition
from verisyn.constraints._rules import Rules
from verisyn.drawing import Drawing
from verisyn.errors import UserError, did_you_mean
from verisyn.findings import Finding, Verdict
from verisyn.modalities.table._views import TableCoder
from verisyn.steering._tail import Tail, fitted

Asked = str | Sequence[str] | Mapping[str, float]
"""Columns, each perhaps with the share of rows that its tail is fitted to and drawn anew in; ``-name`` is a low end."""

_SHARE, _OWN_ROWS = 0.05, 100_000
_POOR_FIT, _LEVELS = 0.05, (0.99, 0.999, 0.9999)
MARK = "{}_extrapolated"
"""The name of the column that marks values beyond all that the model draws."""


@dataclass(frozen=True)
class Tails:
    """The tails that were asked for: columns, ends, and shares of rows."""

    asked: tuple[tuple[str, int, float], ...]

    @classmethod
    def read(cls, wish: Asked, coder: TableCoder) -> Tails:
        """Check columns.

        Examples
        --------
        >>> import verisyn as vs
        >>> model = vs.fit(pl.DataFrame({"loss": [float(i * i) for i in range(200)]}), audit=False)
        >>> Tails.read(["loss"], model.coder).asked
        (('loss', 1, 0.05),)

        Raises
        ------
        UserError
            If a column is unknown or not learnt, an end is named twice, a share is not between 0 and a half, or the
            column that marks values has the name of another.
        """
        wish = [wish] if isinstance(wish, str) else wish
        if not isinstance(wish, Mapping | Sequence):
            raise UserError(f"tails is {wish!r}, but number columns are expected, such as ['loss'], or with the share "
                            "of rows that each tail holds, {'loss': 0.02}; '-loss' is the low end.")
        pairs = wish.items() if isinstance(wish, Mapping) else [(name, _SHARE) for name in wish]
        found: list[tuple[str, int, float]] = []
        for name, share in pairs:
            low = name not in coder.columns and str(name).startswith("-")
            column, sign = (str(name)[1:], -1) if low else (str(name), 1)
            _check(column, share, coder)
            if (column, sign) in [(c, s) for c, s, _ in found]:
                raise UserError(f"tails names the {'low' if low else 'high'} end of {column!r} twice. Name it once.")
            found.append((column, sign, float(share)))
        return cls(tuple(found))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that get longer tails."""
        return frozenset(column for column, _, _ in self.asked)

    def learn(self, drawing: Drawing, rows: int) -> list[Tail]:
        """Fit the tails to the model's own rows; `rows` is how many it learnt from.

        Raises
        ------
        UserError
            If a column holds no numbers, or too few different ones lie beyond the threshold.
        """
        own = drawing.blocks(_OWN_ROWS, np.random.SeedSequence([drawing.seed, 0x7A11]))
        return [fitted(own[column], sign, share, rows) for column, sign, share in self.asked]


@dataclass(frozen=True)
class Limits:
    """What longer tails must leave as it is.

    Parameters
    ----------
    rules : Rules
        The constraints: what is recomputed follows, other columns are mended.
    conditions : tuple of Condition
        A row meets each of them as before.
    fixed : tuple of str
        Columns that are not touched.
    """

    rules: Rules
    conditions: tuple[Condition, ...] = ()
    fixed: tuple[str, ...] = ()

    def keep(self, frame: pl.DataFrame, longer: pl.DataFrame, rng: np.random.Generator
             ) -> tuple[pl.DataFrame, dict[str, int]]:
        """Return the rows with the columns of `longer`; rows that cannot be so stay, and it is counted why."""
        moved = np.any([frame[c].ne_missing(longer[c]).to_numpy() for c in longer.columns], axis=0)
        if not moved.any():
            return frame, {}
        stay = [frame[c] for c in self.fixed if c not in longer.columns]
        changed = self.rules.changed(frame.filter(moved), longer.with_columns(stay).filter(moved), rng)
        index = np.arange(frame.height)
        index[moved] = frame.height + np.arange(changed.height)
        whole = pl.concat([frame, changed.select(frame.columns)])[index]
        why = {f"it would not hold that {r.sentence}": r.broken(whole) & ~r.broken(frame) for r in self.rules.rules}
        why |= {f"{c.text!r} would hold of other rows": c.holds(whole) != c.holds(frame) for c in self.conditions}
        why |= {f"{frame[c].dtype} has no such value": (whole[c].is_null() & frame[c].is_not_null()).to_numpy()
                for c in longer.columns}
        back = np.any(list(why.values()), axis=0) & moved
        index[back] = np.flatnonzero(back)
        kept = pl.concat([frame, changed.select(frame.columns)])[index]
        return kept, {said: int(rows.sum()) for said, lost in why.items() if (rows := lost & moved).any()}


def lengthened(frame: pl.DataFrame, tails: Sequence[Tail], limits: Limits, rng: np.random.Generator
               ) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the rows with longer tails, and a column for each that marks values beyond all that the model draws.

    Also return in how many rows, and why, a tail could not be lengthened.
    """
    longer = frame
    marks: dict[str, np.ndarray] = {}
    for tail in tails:
        longer = longer.with_columns(tail.lengthened(longer[tail.column], rng))
    frame, why = limits.keep(frame, longer.select(list(dict.fromkeys(t.column for t in tails))), rng)
    for tail in tails:
        marks[tail.column] = marks.get(tail.column, False) | tail.beyond_all(frame[tail.column])
    return frame.with_columns(pl.Series(MARK.format(name), mark) for name, mark in marks.items()), why


def tell(frame: pl.DataFrame, tails: Sequence[Tail], why: Mapping[str, int], say: Callable[[str, bool], None]) -> None:
    """Say what the tails are, how many values lie beyond all that the model draws, and where a fit is doubtful."""
    for said, rows in why.items():
        say(f"In {rows:,} of {frame.height:,} rows no tail was lengthened, because else {said}: these rows are as the "
            "model draws them, and the tail is shorter than its fit.", True)
    for tail in tails:
        count = int(tail.beyond_all(frame[tail.column]).sum())
        end = "greatest" if tail.sign > 0 else "least"
        heavy = " Its mean is infinite: sums and means of it do not settle." if tail.shape >= 1 else ""
        poor = f" It fits badly (p = {tail.p:.2g}): what lies beyond is doubtful." if tail.p < _POOR_FIT else ""
        marked = f"; they are extrapolated, and marked in {MARK.format(tail.column)!r}" if count else ""
        say(f"The tail of {tail.column!r} beyond {tail.sign * tail.threshold:.6g} is a generalised Pareto distribution "
            f"of shape {tail.shape:.2f} (standard error {tail.errors[0]:.2f}). {count:,} of {frame.height:,} values "
            f"lie beyond {tail.sign * tail.most:.6g}, the {end} that the model draws{marked}.{heavy}{poor}",
            bool(heavy or poor))


def finding(tails: Sequence[Tail], frame: pl.DataFrame) -> Finding:
    """Return what the tails are: quantiles by the fit, with intervals, beside those that the model draws."""
    rows, items = [], []
    for tail in tails:
        for p in _LEVELS:
            if 1 - p >= tail.share:
                continue
            value, (low, high) = tail.level(p)
            place = 1 - (1 - p) / tail.share
            own = tail.sign * float(np.quantile(tail.own, place))
            items.append({"name": f"{tail.column}: quantile {p if tail.sign > 0 else round(1 - p, 6)}", "value": value,
                          "reference": own, "interval": [low, high], "note": f"one row in {1 / (1 - p):,.0f}"})
        rows.append({"column": tail.column, "threshold": tail.sign * tail.threshold, "shape": tail.shape,
                     "scale": tail.scale, "p_of_the_fit": tail.p,
                     "extrapolated": int(tail.beyond_all(frame[tail.column]).sum())})
    doubtful = [t.column for t in tails if t.p < _POOR_FIT or t.shape >= 1]
    verdict: Verdict = "fair" if doubtful else "good"
    said = "; ".join(f"{t.column!r}: shape {t.shape:.2f}, {r['extrapolated']:,} of {frame.height:,} values beyond all "
                     f"that the model draws" for t, r in zip(tails, rows, strict=True))
    said += f". Doubtful: {', '.join(map(repr, doubtful))}." if doubtful else "."
    return Finding(
        "steering.tails", "What lies beyond the observed extremes?", verdict, said,
        "good: the generalised Pareto form is not rejected at 5 % and its mean is finite; fair: otherwise. Nothing "
        "beyond the data can be verified by the data.",
        details={"tails": rows, "items": items, "items_say": {"value": "quantile by the fitted tail",
                                                              "reference": "quantile of the model's rows", "lead": ""}},
        definition="A generalised Pareto distribution is fitted by maximum likelihood to the values of the model's own "
                   "rows beyond a threshold; values beyond it are replaced by those of the same rank in that "
                   "distribution. Intervals are for as many rows as the model learnt from.",
        references=("https://doi.org/10.1007/978-1-4471-3675-0",))


def _check(column: str, share: object, coder: TableCoder) -> None:
    """Refuse what is no column to lengthen, and what is no share."""
    if column not in coder.columns:
        raise UserError(f"tails names the column {column!r}, which is not there. {did_you_mean(column, coder.columns)}")
    own = next(c for c in coder.coders if column in c.columns)
    if not own.learnt and column not in own.recomputed:
        raise UserError(f"The tail of {column!r} cannot be lengthened: its values are made anew (an id, personal data "
                        "or free text), so nothing was learnt of them. Choose another column.")
    if MARK.format(column) in coder.columns:
        raise UserError(f"The tail of {column!r} cannot be lengthened: {MARK.format(column)!r}, which would mark the "
                        "values beyond all, is a column already. Rename that column before fitting.")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 0.5:
        raise UserError(f"The tail of {column!r} shall hold {share!r} of the rows; a number above 0 and up to 0.5 was "
                        "expected, such as 0.05.")
