"""Levels as judges count them: rare ones, single values that stand out, and those that no training row holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.formats import FIT_ROWS
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides
from verisyn.metrics._tables import BLOCKS

_LONGEST = 40
_SPIKE, _SPIKE_SHARE, _SPIKE_TIMES, _ASIDE = 20, 0.005, 5, 2


@dataclass(frozen=True)
class Novel:
    """Rows of one category column whose level no training row holds."""

    column: str
    fake: np.ndarray
    holdout: np.ndarray
    example: str
    """The most frequent such level of the synthetic rows; empty where it may be some real row's."""

    @property
    def what(self) -> str:
        """Say what these rows hold."""
        return f"levels that no training row has{f', such as {self.example!r}' if self.example else ''}"


def novel_levels(sides: Sides) -> list[Novel]:
    """Return for every category which rows hold a level that no training row holds; found once for all metrics."""
    return sides.shared("novel levels", lambda: [_novel(sides, i) for i, f in enumerate(sides.train.features)
                                                 if f.levels and f.name in sides.train.frame.columns])


def _novel(sides: Sides, i: int) -> Novel:
    feature = sides.train.features[i]
    known, unseen = (_texts(_all(side), feature.name).unique() for side in (sides.train, sides.holdout))
    fake, holdout = (_among(side, i, known) for side in (sides.fake, sides.holdout))
    made = _texts(sides.fake.frame, feature.name).filter(pl.Series(fake, dtype=pl.Boolean))
    made = made.filter(~_bare(made).is_in(_bare(pl.concat([known, unseen])).unique().implode()))
    return Novel(feature.name, fake, holdout, _most_frequent(made) if _read_whole(sides) else "")


def _all(side: Side) -> pl.DataFrame:
    """All rows that were read, of which the side may hold a sample."""
    return side.frame if side.whole is None else side.whole


def _read_whole(sides: Sides) -> bool:
    """Whether every real row was read: what no row holds, of a sample of a longer source, may yet be a real value."""
    return sum(_all(side).height for side in (sides.train, sides.holdout)) < FIT_ROWS


def _bare(texts: pl.Series) -> pl.Series:
    """Texts without what hides that two are the same."""
    return texts.str.strip_chars().str.to_lowercase()


def _among(side: Side, i: int, known: pl.Series) -> np.ndarray:
    """Rows that hold no known level; only those whose level is not published can be such."""
    feature = side.features[i]
    flags = feature.values >= len(feature.labels)
    where = np.flatnonzero(flags)
    texts = _texts(side.frame, feature.name).gather(where)
    flags[where] = (~texts.is_in(known.implode())).fill_null(False).to_numpy()
    return flags


def _texts(frame: pl.DataFrame, column: str) -> pl.Series:
    return frame[column].cast(pl.String, strict=False)


def _most_frequent(texts: pl.Series) -> str:
    if not len(texts):
        return ""
    counts = texts.value_counts(name="\0rows").sort(["\0rows", texts.name], descending=[True, False])
    text = str(counts[texts.name][0])
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


@dataclass(frozen=True)
class Level:
    """A level of a category, or one value of a number that stands out: its column, its code or value, its name."""

    column: int
    at: float
    name: str
    slack: float = 0.0

    def blocks(self, side: Side) -> np.ndarray:
        """Return in how many rows of each of 20 interleaved blocks it is held."""
        held = np.abs(side.features[self.column].values - self.at) <= self.slack
        return np.bincount(np.flatnonzero(held) % BLOCKS, minlength=BLOCKS)


def rare_levels(sides: Sides, share: float, least: int) -> list[Level]:
    """Return levels that fewer than `share` of the training rows hold, yet `least` rows, and should as many synthetic.

    Only levels that may be published are among them.
    """
    train, made = sides.train, sides.fake.rows / max(1, sides.train.rows)
    found = []
    for i, feature in enumerate(train.features):
        if feature.levels:
            known = feature.values[~np.isnan(feature.values)].astype(np.int64)
            counts = np.bincount(known, minlength=feature.levels)[:len(feature.labels)]
            rare = (counts < share * train.rows) & (counts >= least) & (counts * made >= least)
            found += [Level(i, float(code), f"{feature.name!r} = {feature.labels[code]!r}")
                      for code in np.flatnonzero(rare)]
        else:
            found += [s for s, count in _spikes(feature, train.scales[i], i) if
                      count < share * train.rows and count * made >= least]
    return found


def _spikes(feature: Feature, values: np.ndarray, i: int) -> list[tuple[Level, int]]:
    """Single values that far more rows hold than hold the values on either side, each with its rows."""
    single, counts = np.unique(values, return_counts=True)
    if len(single) < 3:
        return []
    padded = np.pad(counts.astype(float), _ASIDE)
    there = np.pad(np.ones(len(counts)), _ASIDE)
    places = [slice(_ASIDE + d, len(single) + _ASIDE + d) for d in range(-_ASIDE, _ASIDE + 1) if d]
    beside = np.sum([padded[at] for at in places], axis=0) / np.sum([there[at] for at in places], axis=0)
    stands_out = (counts >= max(_SPIKE, _SPIKE_SHARE * len(values))) & (counts >= _SPIKE_TIMES * beside)
    gap = np.diff(single, prepend=-np.inf, append=np.inf)
    room = np.minimum(gap[:-1], gap[1:]) / 4
    slack = np.minimum(room, 1e-3 if feature.unit else 2e-7 * np.abs(single))
    return [(Level(i, float(single[j]), f"{feature.name!r} = {said(float(single[j]), feature.unit)}", float(slack[j])),
             int(counts[j])) for j in np.flatnonzero(stands_out)]


def said(value: float, unit: str) -> str:
    """Write a value that many rows share.

    Examples
    --------
    >>> said(1902.0, ""), said(0.0, "seconds since 1970"), said(86400.0, "seconds")
    ('1,902', '1970-01-01 00:00:00', '86,400 seconds')
    """
    if unit == "seconds since 1970":
        return str(np.datetime64("1970-01-01", "s") + np.timedelta64(int(np.floor(value)), "s")).replace("T", " ")
    text = f"{value:,.0f}" if value == np.round(value) and abs(value) < 1e15 else f"{value:.10g}"
    return f"{text} {unit}".strip()
