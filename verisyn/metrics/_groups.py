"""Groups of rows that people can name: levels of a category, or a few bands of a number with round edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from verisyn.findings import NotAnswered
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides
from verisyn.metrics._tables import BLOCKS

LEAST = 30
"""A group of fewer real rows is pooled or left out: its shares would have errors of ten points and more."""
BANDS, LEVELS = 4, 12
MOMENT, SPAN = "seconds since 1970", "seconds"
_EXACT = 15
_NEAR = 0.08
"""A band's edge is the roundest number within so much of the rows around the quantile that it stands for."""


@dataclass(frozen=True)
class Groups:
    """How rows fall into groups by one column, learnt on training rows.

    Parameters
    ----------
    column : str
    names : tuple of str
        What each group is called, for example ``'city' = 'Oslo'`` or ``'age' 30 to 44``.
    code : int array
        For a category: the group of each level, and last of a missing value; -1 is none.
    edges : float array, optional
        For a number: where one band ends and the next begins.
    left_out : int
        Training rows that are in no group, because too few share theirs.
    """

    column: str
    names: tuple[str, ...]
    code: np.ndarray
    edges: np.ndarray | None = None
    left_out: int = 0

    def of(self, feature: Feature) -> np.ndarray:
        """Return the group of each row; -1 for none."""
        values, gone = feature.values, np.isnan(feature.values)
        if self.edges is None:
            return self.code[np.where(gone, len(self.code) - 1, values).astype(np.int64)]
        return self.code[np.where(gone, len(self.edges) + 1, np.searchsorted(self.edges, values, side="right"))]


def groups_of(train: Feature, least: int = LEAST, bands: int = BANDS, levels: int = LEVELS) -> Groups:
    """Learn the groups of one column.

    Parameters
    ----------
    train : Feature
        The column in the training rows.
    least : int
        Rows that a group must have; rarer levels are pooled, and left out where even the pool is smaller.
    bands, levels : int
        So many bands of a number, or levels of a category, at most; further levels are pooled.

    Examples
    --------
    >>> ages = Feature("age", np.repeat(np.arange(18.0, 82.0), 10))
    >>> groups_of(ages).names
    ("'age' under 30", "'age' 30 to 49", "'age' 50 to 69", "'age' 70 and more")
    """
    name, gone = train.name, np.isnan(train.values)
    if train.levels:
        counts = np.bincount(train.values[~gone].astype(np.int64), minlength=train.levels)
        shown = np.flatnonzero(counts[:len(train.labels)] >= least)
        shown = shown[np.argsort(-counts[shown], kind="stable")][:levels]
        names, rest = [f"{name!r} = {train.labels[i]!r}" for i in shown], np.setdiff1d(np.arange(len(counts)), shown)
        code, edges = np.full(len(counts) + 1, -1), None
        code[shown] = np.arange(len(shown))
        if counts[rest].sum() >= least:
            code[rest] = len(names)
            names.append(f"another value of {name!r}" if names else f"any value of {name!r}")
    else:
        edges, names = _bands(train, train.values[np.isfinite(train.values)], least, bands)
        code = np.append(np.arange(len(names)), [-1] * (len(edges) + 2 - len(names)))
    if gone.sum() >= least:
        code[-1] = len(names)
        names.append(f"{name!r} missing")
    found = Groups(name, tuple(names), code, edges)
    return Groups(name, found.names, code, edges, int((found.of(train) < 0).sum()))


def _bands(feature: Feature, known: np.ndarray, least: int, bands: int) -> tuple[np.ndarray, list[str]]:
    """Edges between bands, and their names; a number with few values has a band for each of them."""
    if len(known) < least:
        return np.empty(0), []
    values, counts = np.unique(known, return_counts=True)
    if len(values) <= bands + 2 and counts.min() >= least:
        told = [said(value, feature.unit, _EXACT) for value in values]
        return values[:-1] / 2 + values[1:] / 2, [f"{feature.name!r} = {t}" for t in told]
    if len(values) == 1:
        return np.empty(0), []
    ordered, whole = np.sort(known), bool(np.abs(known).max() < 2**53 and np.all(known == np.round(known)))
    edges = np.unique([_edge(ordered, values, q, feature.unit, whole) for q in np.arange(1, bands) / bands])
    while len(edges):
        held = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
        if held.min() >= least:
            break
        thin = int(held.argmin())
        edges = np.delete(edges, thin if thin < len(edges) else thin - 1)
    return edges, _names(feature, edges, whole) if len(edges) else []


def _edge(ordered: np.ndarray, values: np.ndarray, q: float, unit: str, whole: bool) -> float:
    low, high = (float(ordered[int(np.clip((q + by) * len(ordered), 0, len(ordered) - 1))]) for by in (-_NEAR, _NEAR))
    if low == high:  # so many rows share this value that it fills the whole neighbourhood
        at = int(np.searchsorted(values, low))
        low, high = (low, float(values[at + 1])) if at + 1 < len(values) else (float(values[at - 1]), high)
    return roundest(low, high, unit, whole)


def roundest(low: float, high: float, unit: str = "", whole: bool = False) -> float:
    """Return the roundest number (or whole number) above `low` and up to `high`; of moments, the start of a year, ….

    Examples
    --------
    >>> roundest(28.3, 33.1), roundest(0, 114), roundest(-33.1, -28.3), roundest(0.0123, 0.0127)
    (30.0, 100.0, -30.0, 0.0125)
    """
    if unit == MOMENT and abs(high) < 1e11:
        for of in "YMDhms":
            start = np.datetime64(int(np.floor(high)), "s").astype(f"M8[{of}]").astype("M8[s]").astype(np.int64)
            if low < start <= high:
                return float(start)
    if unit == SPAN:
        for part in (86_400 * 365, 86_400 * 30, 86_400 * 7, 86_400, 3_600, 60):
            if low < (found := float(np.floor(high / part) * part)) <= high:
                return found
    if low < 0 <= high:
        return 0.0
    for power in range(int(np.floor(np.log10(max(abs(low), abs(high))))) + 1, -320, -1):
        for step in (5.0, 2.5, 2.0, 1.0):
            size = float(step * 10.0**power)
            if not 0 < size < np.inf or (whole and size % 1):
                continue
            first, last = np.floor(low / size) + 1, np.floor(high / size)
            if first <= last:
                found = float(f"{np.clip(np.round((low + high) / 2 / size), first, last) * size:.15g}")
                if low < found <= high:
                    return found
    return high


def _names(feature: Feature, edges: np.ndarray, whole: bool) -> list[str]:
    name, told = repr(feature.name), [said(e, feature.unit, _EXACT) for e in edges]
    moment = feature.unit == MOMENT
    under, over = ("before", "") if moment else ("under", " and more")
    if whole and not feature.unit:
        inner = [f"{name} {a} to {said(e - 1, '', _EXACT)}" if e - 1 > b else f"{name} = {a}"
                 for a, b, e in zip(told[:-1], edges[:-1], edges[1:], strict=True)]
    else:
        inner = [f"{name} from {a} to {under} {b}" for a, b in pairwise(told)]
    last = f"{name} from {told[-1]}" if moment else f"{name} {told[-1]}{over}"
    return [f"{name} {under} {told[0]}", *inner, last]


def said(value: float, unit: str = "", digits: int = 4) -> str:
    """Return a number, moment or duration as a person would write it, to so many digits.

    Examples
    --------
    >>> said(1234567.0), said(0.25), said(86400.0 * 365, "seconds since 1970"), said(90.0, "seconds")
    ('1,235,000', '0.25', '1971-01-01', '90 s')
    """
    if unit == MOMENT and abs(value) < 1e11:
        moment = np.datetime64(round(value), "s")
        return str(moment.astype("M8[D]")) if value % 86_400 == 0 else str(moment).replace("T", " ")
    if unit in (SPAN, MOMENT):
        for step, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
            if abs(value) >= 2 * step:
                return f"{said(value / step, '', digits)} {word}"
        return f"{said(value, '', digits)} s"
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else str(value)
    after = digits - 1 - int(np.floor(np.log10(abs(value))))
    rounded = round(value, after)
    if abs(rounded) >= 1e15 or abs(rounded) < 1e-4:
        return f"{rounded:.{digits}g}"
    told = f"{rounded:,.{max(0, after)}f}" if abs(rounded) >= 10_000 else f"{rounded:.{max(0, after)}f}"
    return told.rstrip("0").rstrip(".") if after > 0 else told


@dataclass(frozen=True)
class Grouped:
    """The rows of both sides by the groups of one sensitive column: `real` are training and holdout rows together."""

    groups: Groups
    fake: np.ndarray
    real: np.ndarray

    @property
    def asked(self) -> list[tuple[int, str]]:
        """The groups to hold against all others: of two groups the smaller one."""
        counts = np.bincount(self.real[self.real >= 0], minlength=len(self.groups.names))
        each = [(i, name) for i, name in enumerate(self.groups.names) if counts[i] >= LEAST]
        return each if len(each) > 2 else sorted(each, key=lambda g: counts[g[0]])[:1] if len(each) == 2 else []


def sensitive_groups(sides: Sides) -> list[Grouped]:
    """Return the rows of both sides by the groups of each sensitive column that has at least two groups.

    Raises
    ------
    NotAnswered
        If no column is sensitive, or none has two groups.
    """
    return sides.shared("sensitive groups", lambda: _grouped(sides))


def groups_beside_target(sides: Sides) -> list[Grouped]:
    """Return the groups of the sensitive columns but for the target.

    Raises
    ------
    NotAnswered
        If there are none.
    """
    found = [g for g in sensitive_groups(sides) if g.groups.column != sides.target]
    if not found:
        raise NotAnswered("the only sensitive column is the target itself")
    return found


def _grouped(sides: Sides) -> list[Grouped]:
    columns = [i for i in map(sides.index, sides.sensitive) if i is not None]
    if not columns:
        raise NotAnswered("no column is marked as sensitive")
    found = []
    for i in columns:
        groups = groups_of(sides.train.features[i])
        fake, *real = (groups.of(side.features[i]) for side in (sides.fake, sides.train, sides.holdout))
        found.append(Grouped(groups, fake, np.concatenate(real)))
    found = [g for g in found if g.asked]
    if not found:
        raise NotAnswered(f"no sensitive column has two groups of {LEAST} rows")
    return found


def joined(sides: Sequence[Side], column: int) -> np.ndarray:
    """Return the values of one column on some sides, one after the other."""
    return np.concatenate([side.features[column].values for side in sides])


def crossed(mine: np.ndarray, groups: int, code: np.ndarray, codes: int) -> np.ndarray:
    """Return counts of rows by group (-1 is none) and code in 20 interleaved blocks, shape (blocks, groups, codes)."""
    cell = (np.arange(len(mine)) % BLOCKS * groups + mine) * codes + code
    return np.bincount(cell[mine >= 0], minlength=BLOCKS * groups * codes).reshape(BLOCKS, groups, codes)
