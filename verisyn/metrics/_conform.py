"""Brings a synthetic table made anywhere to the real table's columns and types, and says what it took."""

from __future__ import annotations

import polars as pl

from verisyn.errors import UserError, did_you_mean

_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")


def conform(fake: pl.DataFrame, real: pl.DataFrame, columns: list[str], what: str) -> tuple[pl.DataFrame, list[str]]:
    """Return `columns` of `fake` with the types they have in `real`, and notes on what was changed.

    Parameters
    ----------
    what : str
        What `fake` is, for messages, for example ``"the synthetic data"``.

    Raises
    ------
    UserError
        If `fake` has no rows, or lacks a column.

    Examples
    --------
    >>> real, fake = pl.DataFrame({"age": [31, 42]}), pl.DataFrame({"age": ["50", "old"], "extra": [1, 2]})
    >>> frame, notes = conform(fake, real, ["age"], "the synthetic data")
    >>> frame["age"].to_list()
    [50, None]
    >>> notes
    ["1 column of the synthetic data is not in the real data and was left out: 'extra'", \
"1 value of 'age' in the synthetic data is no Int64 and counts as missing"]
    """
    if fake.height == 0:
        raise UserError(f"{what[0].upper()}{what[1:]} has no rows, so there is nothing to assess.")
    notes = []
    for name in columns:
        if name not in fake.columns:
            raise UserError(f"{what[0].upper()}{what[1:]} has no column {name!r}, which the real data has. "
                            f"{did_you_mean(name, fake.columns)} Add it, or take it out of both.")
    extra = [name for name in fake.columns if name not in columns]
    if extra:
        more = ", …" if len(extra) > 5 else ""
        number = "1 column" if len(extra) == 1 else f"{len(extra)} columns"
        verb = "is not in the real data and was" if len(extra) == 1 else "are not in the real data and were"
        notes.append(f"{number} of {what} {verb} left out: {', '.join(map(repr, extra[:5]))}{more}")
    cast = []
    for name in columns:
        values = _as_type(fake[name], real.schema[name])
        lost = values.null_count() - fake[name].null_count()
        if lost > 0:
            number, verb = (f"{lost:,} values", "are") if lost > 1 else ("1 value", "is")
            count = "count" if lost > 1 else "counts"
            notes.append(f"{number} of {name!r} in {what} {verb} no {real.schema[name]} and {count} as missing")
        cast.append(values)
    return pl.DataFrame(cast), notes


def _as_type(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == dtype:
        return values
    if dtype.is_integer() and values.dtype.is_float() and not _whole(values):
        return values  # fractions where the real column has whole numbers are a finding, not something to round away
    if dtype == pl.String and values.dtype.is_float() and _whole(values):
        values = values.cast(pl.Int64, strict=False)
    if dtype == pl.Boolean:
        words = values.cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
        flags = pl.when(pl.col("v").is_in(_TRUE)).then(True).when(pl.col("v").is_in(_FALSE)).then(False)
        return pl.DataFrame({"v": words}).select(flags.alias(values.name)).to_series()
    if dtype.is_integer() and values.dtype == pl.String:
        return _as_type(values.str.strip_chars().cast(pl.Float64, strict=False), dtype)
    try:
        if values.dtype == pl.String and dtype in (pl.Date, pl.Datetime):
            values = values.str.to_datetime(strict=False)
        return values.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:
        return pl.Series(values.name, [None] * len(values), dtype=dtype)


def _whole(values: pl.Series) -> bool:
    known = values.fill_nan(None).drop_nulls()
    return bool(((known % 1) == 0).all()) and bool((known.abs() < 2**53).all())
