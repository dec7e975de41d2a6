"""One of a set of levels without an order; rare levels are pooled."""

from __future__ import annotations

import polars as pl

from verisyn.kinds import Declined, Recognised, _settings
from verisyn.kinds._levels import Levels, LevelsCoder
from verisyn.schema import Column

SETTINGS = {"k": int, "levels": list, "rare": str}
_MOST = 5000
_NO_LEVEL = "(other)"


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim text columns most of whose rows share their value with others."""
    if values.dtype == pl.Null:
        return Recognised(0.2, "There is no value at all.")
    if values.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise Declined(f"the values are {values.dtype}, not text")
    rows = len(values) - values.null_count()
    if not rows:
        return Recognised(0.6, "There is no value at all.")
    levels = _settings.tally(values)["rows"]
    pooled = levels.filter(levels < _settings.shared_by({}, len(values))).sum() / rows
    evidence = f"{rows} rows share {len(levels)} different text{'s' if len(levels) > 1 else ''}."
    if values.dtype != pl.String:
        evidence = f"The data type is {values.dtype.base_type().__name__}; {evidence}"
        return Recognised(0.9 if pooled <= 0.5 else 0.3, evidence)
    if pooled > 0.5:
        raise Declined(f"{pooled:.0%} of the rows have a text that hardly any other row has")
    return Recognised(0.6, evidence)


class Coder(LevelsCoder):
    """Codes a category.

    A level that fewer than k rows share is pooled with the others of its kind. A pooled row is decoded to one of the
    least frequent published levels, drawn by their frequency, so that no value outside the domain appears; the
    setting ``rare`` gives a label to be written instead. ``levels`` states the domain: just these are published.
    """

    kind = "category"

    @classmethod
    def _choose(cls, values: pl.Series, column: Column) -> tuple[Levels, tuple[str, ...]]:
        settings = _settings.read(column, SETTINGS)
        k = _settings.shared_by(settings, len(values))
        counts = _settings.tally(values)
        shared = counts.filter(pl.col("rows") >= k).head(_MOST)
        if "levels" in settings:
            declared = pl.Series(settings["levels"], strict=False).cast(values.dtype, strict=False)
            shared = counts.filter(pl.col("value").is_in(declared.implode()))
        names, rows = shared["value"].to_list(), shared["rows"].to_list()
        pooled = int(counts["rows"].sum()) - sum(rows)
        stand_in = {settings["rare"]: 1.0} if "rare" in settings else _least(names, rows, pooled)
        levels = Levels(names, pooled > 0, stand_in if pooled else {})
        if not pooled:
            return levels, ()
        why = "not among its stated levels" if "levels" in settings else f"shared by fewer than {k} rows each"
        note = (f"Column {column.name!r} has {len(counts) - len(names)} levels ({pooled} rows) {why}; they are not "
                f"published, and {_spoken(list(stand_in))} in for them.")
        return levels, (note,)


def _least(names: list, rows: list[int], pooled: int) -> dict:
    """The least frequent levels that together hold as many rows as the pool, with their rows."""
    if not names:
        return {_NO_LEVEL: 1.0}
    taken: dict = {}
    for name, count in zip(reversed(names), reversed(rows), strict=True):
        taken[name] = float(count)
        if sum(taken.values()) >= pooled:
            break
    return taken


def _spoken(stand_in: list) -> str:
    if len(stand_in) == 1:
        return f"{stand_in[0]!r} stands"
    return f"the {len(stand_in)} least frequent published levels stand"
