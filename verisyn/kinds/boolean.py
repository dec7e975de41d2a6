"""Yes or no: booleans, pairs of words such as yes/no or ja/nein, and numbers that are just 0 and 1."""

from __future__ import annotations

import polars as pl

from verisyn.errors import UserError
from verisyn.kinds import Declined, Recognised, _settings
from verisyn.kinds._levels import Levels, LevelsCoder
from verisyn.schema import Column

SETTINGS = {"labels": list}
_PAIRS = {frozenset(pair.split("/")) for pair in (
    "no/yes", "n/y", "false/true", "f/t", "off/on", "0/1", "nein/ja", "n/j", "no/si", "no/sí", "n/s", "non/oui", "n/o",
    "não/sim", "nao/sim", "nee/ja", "nej/ja", "nie/tak", "нет/да", "ei/kyllä", "hayır/evet", "いいえ/はい", "否/是",
    "falsch/wahr", "faux/vrai", "falso/verdadero", "falso/vero")}
_SURE = 0.95


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim Boolean columns, and columns of exactly two values that are a known pair."""
    if values.dtype == pl.Boolean:
        return Recognised(1.0, "The data type is Boolean.")
    if not (values.dtype == pl.String or values.dtype.is_numeric()):
        raise Declined(f"the values are {values.dtype}")
    found = values.head(1000).drop_nulls().unique()
    if len(found) <= 2:  # a look at a few rows spares the long look at most columns
        found = values.drop_nulls().unique()
    if len(found) != 2:
        raise Declined("there are not exactly two different values")
    low, high = sorted(found.to_list())
    pair = {0, 1} if values.dtype.is_numeric() else {low.casefold(), high.casefold()}
    if (low, high) != (0, 1) and frozenset(pair) not in _PAIRS:
        raise Declined(f"{low!r} and {high!r} are no pair of yes and no")
    return Recognised(_SURE, f"The only values are {low!r} and {high!r}.")


class Coder(LevelsCoder):
    """Codes a boolean: the more frequent label first. Both labels are common words, so both are published.

    The setting ``labels`` states the two labels; other values are then treated as the less frequent of them.
    """

    kind = "boolean"

    @classmethod
    def _choose(cls, values: pl.Series, column: Column) -> tuple[Levels, tuple[str, ...]]:
        labels = _settings.read(column, SETTINGS).get("labels")
        found = _settings.tally(values)["value"].to_list()
        if labels is not None and len(labels) != 2:
            raise UserError(f"The setting 'labels' of column {column.name!r} has {len(labels)} labels, but a "
                            "boolean has 2.")
        if labels is not None:
            return Levels(sorted(labels, key=lambda x: found.index(x) if x in found else len(found))), ()
        if len(found) > 2:
            raise UserError(f"Column {column.name!r} has {len(found)} different values and cannot be a boolean. Give "
                            "its two 'labels' in the schema, or make its kind 'category'.")
        return Levels(found), ()
