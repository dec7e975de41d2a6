"""Bias that real data have before anything is generated: small groups, gaps, proxies, gaps in what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy.stats import norm

from verisyn.description import modelled
from verisyn.findings import NotAnswered
from verisyn.frames import some
from verisyn.kinds import Feature
from verisyn.metrics._groups import LEAST, Grouped, crossed, groups_of, said
from verisyn.metrics._stats import Z, adjusted, jackknife, wilson
from verisyn.metrics._tables import associations, left_out
from verisyn.metrics.fairness._gaps import POOR, SURE, apart, moments
from verisyn.metrics.fairness._outcomes import Outcome, outcomes_of
from verisyn.modalities.table._views import TableCoder, coarse_of, groups, scales_of
from verisyn.schema import Bias, Table

FEW = 0.05
"""A group with fewer of the rows is little learnt of, and errors about it are hardly seen in figures over all rows."""
PROXY = 0.3
"""Cramér's V of 0.3 is a medium association (Cohen 1988) of two columns, one of them with two values."""
_MISSING, _GAP = 0.01, 0.05
_ROWS, _COLUMNS, _SENSITIVE = 50_000, 100, 8
_PROXIES, _GAPS = 3, 10
_SEED = 9


def find_biases(frame: pl.DataFrame, table: Table) -> tuple[Bias, ...]:
    """Find what is uneven between the groups of the sensitive columns.

    At most 50 000 rows and 100 columns are looked at, drawn by a seed of its own. Groups are levels, or about four
    bands of a number with round edges, of at least 30 rows; no value that fewer rows share is told. Gaps and proxies
    are told where they are not small, and where chance would not give them (false discovery rate 5 %).

    Parameters
    ----------
    frame : polars.DataFrame
        Real rows.
    table : Table
        Their columns; which are sensitive, and which is the target.

    Returns
    -------
    tuple of Bias
        Nothing where no column is sensitive.

    Examples
    --------
    >>> from verisyn.description import describe
    >>> frame = pl.DataFrame({"sex": ["f", "m", "m"] * 200, "hired": ["no", "yes", "no"] * 200})
    >>> [(b.kind, b.columns) for b in describe(frame).table.biases]
    [('outcome', ('sex', 'hired'))]
    """
    sensitive = [c.name for c in table.columns if c.sensitive and modelled(c)][:_SENSITIVE]
    if not sensitive or frame.height < 2 * LEAST:
        return ()
    rows = _Rows.of(frame, table, sensitive)
    if not rows.groups:
        return ()
    return (*_representation(rows), *_outcome_gaps(rows), *_proxies(rows), *_missing(rows))


@dataclass(frozen=True)
class _Rows:
    """A sample of rows: their features, and the groups of each sensitive column that has at least two."""

    frame: pl.DataFrame
    features: list[Feature]
    groups: list[Grouped]
    target: Feature | None

    @classmethod
    def of(cls, frame: pl.DataFrame, table: Table, sensitive: list[str]) -> _Rows:
        rng = np.random.default_rng(_SEED)
        frame = some(frame, _ROWS, rng)
        frame = frame[rng.permutation(frame.height)]  # blocks of rows tell errors, and files may be sorted or periodic
        must = {*sensitive, table.target}
        parts = [[c.name for c in members] for _, members in groups(table)]
        first = [part for part in parts if must.intersection(part)]
        rest = [part for part in parts if not must.intersection(part)]
        drawn = [rest[i] for i in rng.permutation(len(rest))[:max(0, _COLUMNS - len(first))]]
        kept = {name for part in (*first, *drawn) for name in part}
        columns = tuple(c for c in table.columns if c.name in kept)
        small = table.model_copy(update={"columns": columns, "constraints": ()})
        features = TableCoder.learn(frame, small, np.random.SeedSequence(_SEED)).features(frame)
        by_name = {f.name: f for f in features}
        found = []
        for name in sensitive:
            if name in by_name:
                learnt = groups_of(by_name[name])
                found.append(Grouped(learnt, code := learnt.of(by_name[name]), code))
        modelled_names = {c.name for c in table.columns if modelled(c)}
        return cls(frame, [f for f in features if f.name in modelled_names], [g for g in found if g.asked],
                   by_name.get(table.target or ""))

    @cached_property
    def coarse(self) -> np.ndarray:
        """Codes in about ten bins a column, which rest on these rows alone."""
        return coarse_of(self.features, scales_of(self.features), self.frame.height).values

    def gaps(self, of: Outcome) -> list[_Gap]:
        """Each group of each column against all others, in one outcome."""
        found, known = [], ~np.isnan(of.values[0])
        for g in self.groups:
            table = moments(g.real[known], of.values[0][known], len(g.groups.names))
            counts = table[0]
            found += [_Gap(of, g.groups.column, name, *apart(table, i), table[:, i], table.sum(axis=1) - table[:, i])
                      for i, name in g.asked if counts[i] >= LEAST and counts.sum() - counts[i] >= LEAST]
        return found


@dataclass(frozen=True)
class _Gap:
    """A group's mean less all others', with rows, sums and sums of squares of both."""

    outcome: Outcome
    column: str
    group: str
    value: float
    interval: tuple[float, float]
    mine: np.ndarray
    rest: np.ndarray

    @property
    def p(self) -> float:
        half = max((self.interval[1] - self.interval[0]) / 2, 1e-12)
        return float(2 * norm.sf(abs(self.value) / half * Z))

    @property
    def scale(self) -> float:
        """The outcome's standard deviation."""
        rows, total, squares = self.mine + self.rest
        return float(np.sqrt(max(0.0, squares / rows - (total / rows) ** 2)))

    @property
    def means(self) -> tuple[float, float]:
        """The outcome's mean in the group, and in all others."""
        return float(self.mine[1] / self.mine[0]), float(self.rest[1] / self.rest[0])


def _sure(gaps: list[_Gap]) -> list[_Gap]:
    """Those that chance would not give, the widest first."""
    sure = adjusted(np.array([g.p for g in gaps])) <= SURE
    return sorted((g for g, known in zip(gaps, sure, strict=True) if known), key=lambda g: -abs(g.value))


def _bias(kind: str, columns: tuple[str, ...], figure: float, interval: tuple[float, float], evidence: str) -> Bias:
    low, high = (round(float(end), 6) for end in interval)
    return Bias(kind=kind, columns=columns, figure=round(float(figure), 6), interval=(low, high), evidence=evidence)


def _representation(rows: _Rows) -> list[Bias]:
    """Groups that have few of the rows, one entry a column."""
    found = []
    for g in rows.groups:
        counts, whole = np.bincount(g.real[g.real >= 0], minlength=len(g.groups.names)), len(g.real)
        few = [i for i in np.argsort(counts, kind="stable") if wilson(counts[i], whole)[1] < FEW]
        if not few:
            continue
        least = int(few[0])
        others = f"; {len(few)} of its {len(counts)} groups hold less than {FEW:.0%} each" if len(few) > 1 else ""
        found.append(_bias("representation", (g.groups.column,), counts[least] / whole, wilson(counts[least], whole),
                           f"{g.groups.names[least]} is {counts[least] / whole:.1%} of the rows{others}."))
    return found


def _outcome_gaps(rows: _Rows) -> list[Bias]:
    """The widest gap in the target for each sensitive column."""
    if rows.target is None:
        return []
    try:
        outcomes = outcomes_of(rows.target, [rows.target.values])
    except NotAnswered:
        return []
    widest: dict[str, _Gap] = {}
    for gap in _sure([gap for outcome in outcomes for gap in rows.gaps(outcome) if gap.column != rows.target.name]):
        if abs(gap.value) >= POOR * gap.scale:
            widest.setdefault(gap.column, gap)
    return [_bias("outcome", (name, rows.target.name), gap.value, gap.interval, _told(gap, rows.target.unit))
            for name, gap in widest.items()]


def _told(gap: _Gap, unit: str) -> str:
    (mine, rest), outcome = gap.means, gap.outcome
    if outcome.share:
        what = outcome.name.removeprefix("share of ")
        return f"Of the rows with {gap.group}, {mine:.1%} have {what}, of all others {rest:.1%}."
    mine, rest = (outcome.centre + outcome.scale * x for x in (mine, rest))
    return f"The {outcome.name} is {said(mine, unit, 3)} where {gap.group}, {said(rest, unit, 3)} among all others."


def _proxies(rows: _Rows) -> list[Bias]:
    """The columns that tell most of each sensitive one."""
    found = []
    for g in rows.groups:
        tables = {}
        for i, feature in enumerate(rows.features):
            if feature.name not in (g.groups.column, rows.target and rows.target.name):
                code = rows.coarse[:, i]
                tables[i] = left_out(crossed(g.real, len(g.groups.names), code, int(code.max(initial=0)) + 1))
        strength = {i: float(associations(table[:1])[0]) for i, table in tables.items()}
        for i in sorted(strength, key=lambda i: -strength[i])[:_PROXIES]:
            value, *less = associations(tables[i])
            low, high = jackknife(value, np.array(less), np.full(2, value))
            if value >= PROXY and low > PROXY / 2:
                name = rows.features[i].name
                found.append(_bias("proxy", (g.groups.column, name), value, (low, high), f"{name!r} tells much of "
                                   f"{g.groups.column!r}: association {value:.2f} (0 none, 1 all)."))
    return found


def _missing(rows: _Rows) -> list[Bias]:
    """Columns whose values are missing more often in some group, the widest gap for each column."""
    gaps = []
    for name in rows.frame.columns:
        gone = rows.frame[name].is_null().to_numpy().astype(float)
        if _MISSING <= gone.mean() <= 1 - _MISSING:
            gaps += [gap for gap in rows.gaps(Outcome(name, [gone], share=True)) if gap.column != name]
    widest: dict[str, _Gap] = {}
    for gap in _sure(gaps):
        if abs(gap.value) >= _GAP:
            widest.setdefault(gap.outcome.name, gap)
    return [_bias("missing", (gap.column, name), gap.value, gap.interval, f"{name!r} is missing in {gap.means[0]:.1%} "
                  f"of the rows with {gap.group}, in {gap.means[1]:.1%} of all others.")
            for name, gap in list(widest.items())[:_GAPS]]
