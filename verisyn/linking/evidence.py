"""What data tell of links: how many values are keys of the other table, and how likely that is by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

_SCREEN = 2_000


@dataclass(frozen=True)
class Inclusion:
    """How the values of a column lie among the keys of a table.

    Parameters
    ----------
    share : float
        Of the rows that have a value, those whose value is a key, 0 to 1.
    distinct : int
        Different values that are keys.
    covered : float
        Share of the keys that occur.
    surprise : float
        Minus the decimal logarithm of the chance that so many different values are keys, were they any numbers of
        their range, or any text of their length.
    """

    share: float
    distinct: int
    covered: float
    surprise: float


def plain(values: pl.Series) -> pl.Series | None:
    """Return values that may be keys, as whole numbers or text; None for fractions, moments and truth values."""
    if values.dtype == pl.String:
        return values
    if values.dtype.is_integer():
        return values.cast(pl.Int64, strict=False)
    if values.dtype.is_float():  # whole numbers with gaps, as some libraries keep them
        whole = values.drop_nulls()
        fits = bool(((whole == whole.round()) & (whole.abs() < 2**53)).all())
        return values.cast(pl.Int64, strict=False) if fits and len(whole) else None
    return None


def inclusion(values: pl.Series, keys: pl.Series) -> Inclusion | None:
    """Return how values lie among keys; None where the types differ, there is no value, or hardly any is a key."""
    if values.dtype != keys.dtype:
        return None
    counts = values.drop_nulls().value_counts(name="rows")
    if not counts.height:
        return None
    known = keys.drop_nulls().unique()
    if counts.height > _SCREEN and counts[:, 0].head(_SCREEN).is_in(known.implode()).mean() < 0.25:  # type: ignore[operator]
        return None
    mine = counts.filter(counts[:, 0].is_in(known.implode()))
    distinct = mine.height
    if not distinct:
        return None
    share = float(mine["rows"].sum()) / float(counts["rows"].sum())
    return Inclusion(share, distinct, distinct / len(known), distinct * _rarity(counts[:, 0], known))


def repeats(frame: pl.DataFrame, columns: tuple[str, ...]) -> int:
    """Return how many rows repeat the key of an earlier one; rows that lack a part of the key do not count.

    Examples
    --------
    >>> repeats(pl.DataFrame({"id": [5, 7, 5, None, None]}), ("id",))
    1
    """
    known = frame.select(columns).drop_nulls()
    return known.height - known.n_unique()


def _rarity(values: pl.Series, keys: pl.Series) -> float:
    """Minus the decimal logarithm of the share of possible values that are keys."""
    if values.dtype == pl.String:
        room = float(values.str.len_chars().cast(pl.Float64).median() or 1) * math.log10(26)  # type: ignore[arg-type]
        return min(3.0, max(0.0, room - math.log10(max(len(keys), 1))))
    low, high = int(values.min()), int(values.max())  # type: ignore[arg-type]
    within = int(((keys >= low) & (keys <= high)).sum())
    return -math.log10(min(1.0, max(within, 1) / (high - low + 1)))
