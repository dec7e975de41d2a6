"""How many synthetic rows copy a training row, beyond the rate at which strangers coincide.

Exact: equal in every modelled column (numbers to six digits) to a training row that fewer than five training rows
equal; a match with a common row tells nothing about anyone. Near: closer to a training row than 99 of 100 strangers
are, and at most half as far as from the nearest stranger. Strangers are holdout rows, held against the training rows
by the very same test; what counts is the excess over their rate, with its interval (Newcombe 1998). Text in columns
that should be made afresh (ids, names, free text) is held against the training rows' in the same way. Exact rows and
texts are looked for in all rows that were read, near ones in a sample. The value is the share of copies in the check
that decides: of those beyond the border the one whose excess begins highest, else the least sure where one is unsure,
else the exact rows; its interval is Wilson's, and the ceiling is the strangers' rate in that check. Over the checks
the false discovery rate is controlled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure
from verisyn.kinds import K
from verisyn.kinds._settings import tally
from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._copied import BOUND, GOOD, POOR, excess_of, hashed, judged, measured, near_flags, rare_keys
from verisyn.modalities.table._views import TableCoder

title = "Does it copy real rows?"
needs = ("frame", "features", "vectors", "whole")
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = ("https://doi.org/10.1002/(sici)1097-0258(19980430)17:8%3C873::aid-sim779%3E3.0.co;2-i",)
rule = (f"poor: more than {POOR:.1%} of the rows copy training rows beyond the strangers' rate, at the low end of the "
        f"interval (exact rows, near rows, or texts); good: {GOOD:.0%} or less, and {BOUND:.0%} or less at the high "
        "end; fair: otherwise")
_CHUNK = 50_000


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Count exact and near copies, and copied texts, beside the strangers' own."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, 50)
    has_columns(sides)
    rare = rare_keys(_keys(sides.train, sides.coder))
    exact, coincide = (np.isin(_keys(side, sides.coder), rare) for side in (sides.fake, strangers))
    near, by_chance = near_flags(sides.narrowed(rng), rng)
    found = [excess_of("exact rows", exact, coincide), excess_of("near rows", near, by_chance)]
    for name in sides.regenerated:
        found += _texts(name, sides)
    return measured(found, {"rows": len(exact), "near_rows": len(near)})


def _keys(side: Side, coder: TableCoder | None) -> np.ndarray:
    """One 64-bit key for every row that was read, equal where all features are equal to six digits."""
    whole = side.whole
    if whole is None or coder is None or whole.height == side.rows:
        return hashed(side.features)
    return np.concatenate([hashed(coder.features(part)) for part in whole.iter_slices(_CHUNK)])


def _texts(name: str, sides: Sides) -> list[dict[str, Any]]:
    """Texts of one column that fewer than five training rows hold, found again in synthetic rows and in strangers'."""
    frames = [side.frame if side.whole is None else side.whole for side in (sides.train, sides.fake, sides.strangers)]
    if any(name not in frame.columns for frame in frames) or frames[0][name].dtype != pl.String:
        return []
    train, fake, other = (frame[name].drop_nulls().cast(pl.String) for frame in frames)
    if min(len(train), len(fake), len(other)) < 50:
        return []
    rare = tally(train).filter(pl.col("rows") < K)["value"]
    flags = [values.is_in(rare.implode()).to_numpy() for values in (fake, other)]
    return [excess_of(f"texts of {name!r}", *flags)]


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst excess over the strangers' rate."""
    exact, near = measure.details["checks"][:2]
    return judged(measure.details["checks"],
                  f"{exact['share']:.2%} of the synthetic rows equal a training row (of strangers' rows "
                  f"{exact['strangers']:.2%} do), and {near['share']:.2%} come very near one (of strangers' "
                  f"{near['strangers']:.2%})")
