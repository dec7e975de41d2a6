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

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure, Verdict
from verisyn.kinds import Feature, K
from verisyn.kinds._settings import tally
from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._counts import excess
from verisyn.metrics._near import affordable, nearest
from verisyn.metrics._stats import adjusted, p_beyond, together, wilson
from verisyn.modalities.table._views import TableCoder

title = "Does it copy real rows?"
needs = ("frame", "features", "vectors", "whole")
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = ("https://doi.org/10.1002/(sici)1097-0258(19980430)17:8%3C873::aid-sim779%3E3.0.co;2-i",)
POOR, GOOD, BOUND = 0.005, 0.01, 0.05
"""One row in 200 copied beyond coincidence is a fault, not chance; 5 % is the widest bound that is called good."""
rule = (f"poor: more than {POOR:.1%} of the rows copy training rows beyond the strangers' rate, at the low end of the "
        f"interval (exact rows, near rows, or texts); good: {GOOD:.0%} or less, and {BOUND:.0%} or less at the high "
        "end; fair: otherwise")
_CLOSE, _HALF, _FALSE, _NAMED = 0.01, 0.5, 0.05, 10
_QUERIES, _CHUNK, _CELLS = 2_500, 50_000, 60_000_000


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Count exact and near copies, and copied texts, beside the strangers' own."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, 50)
    has_columns(sides)
    rare = _rare(_keys(sides.train, sides.coder))
    exact, coincide = (np.isin(_keys(side, sides.coder), rare) for side in (sides.fake, strangers))
    near, by_chance = _near(sides.narrowed(rng), rng)
    found = [_excess("exact rows", exact, coincide), _excess("near rows", near, by_chance)]
    for name in sides.regenerated:
        found += _texts(name, sides)
    decides = (_poor(found) or _unsure(found) or found)[0]
    return Measure(decides["share"], wilson(decides["share"] * decides["rows"], decides["rows"]), {
        "rows": len(exact), "near_rows": len(near), "decides": decides["what"], "checks": found,
        "ceiling": decides["strangers"]})


def _keys(side: Side, coder: TableCoder | None) -> np.ndarray:
    """One 64-bit key for every row that was read, equal where all features are equal to six digits."""
    whole = side.whole
    if whole is None or coder is None or whole.height == side.rows:
        return _hashed(side.features)
    return np.concatenate([_hashed(coder.features(part)) for part in whole.iter_slices(_CHUNK)])


def _hashed(features: Sequence[Feature]) -> np.ndarray:
    return pl.DataFrame({str(i): _six_digits(f.values) for i, f in enumerate(features)}).hash_rows(seed=0).to_numpy()


def _six_digits(values: np.ndarray) -> np.ndarray:
    """Round to six significant digits; NaN and 0 stay (adding 0.0 makes -0.0 a plain 0)."""
    size = np.abs(values)
    power = np.floor(np.log10(np.where(size > 0, size, 1.0), where=~np.isnan(size), out=np.zeros_like(size)))
    unit = 10.0 ** np.clip(power - 5, -300, 300)
    return np.round(values / unit) * unit + 0.0


def _rare(keys: np.ndarray) -> np.ndarray:
    unique, counts = np.unique(keys, return_counts=True)
    return unique[counts < K]


def _near(sides: Sides, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Flags of near copies among synthetic rows, and among one half of the strangers; the other half sets the scale."""
    order = rng.permutation(sides.strangers.rows)
    half = len(order) // 2
    held = max(1_000, _CELLS // max(1, sides.train.width))
    train = sides.train.some(held, rng).vectors
    queries = affordable(sides.train.width, len(train), _QUERIES)
    others, asked = (sides.strangers.take(part) for part in (order[half:][:min(held, 10_000)], order[:half][:queries]))
    fake = sides.fake.some(queries, rng)
    (d_fake, _), (d_asked, _) = nearest(fake.vectors, train), nearest(asked.vectors, train)
    (o_fake, _), (o_asked, _) = nearest(fake.vectors, others.vectors), nearest(asked.vectors, others.vectors)
    close = float(np.quantile(nearest(others.vectors[:queries], train)[0], _CLOSE))
    return tuple((d < close) & (d < _HALF * o) for d, o in ((d_fake, o_fake), (d_asked, o_asked)))  # type: ignore[return-value]


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
    return [_excess(f"texts of {name!r}", *flags)]


def _excess(what: str, fake: np.ndarray, strangers: np.ndarray) -> dict[str, Any]:
    told = excess(fake, strangers)
    return {"what": what, "rows": len(fake), "share": told["share"], "strangers": told["holdout"],
            "excess": told["excess"], "interval": told["interval"]}


def _p(checks: list[dict[str, Any]]) -> list[float]:
    return [p_beyond(c["excess"], tuple(c["interval"]), POOR) for c in checks]


def _poor(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks that show copies beyond coincidence, the surest first."""
    found = [c for c, q in zip(checks, adjusted(np.array(_p(checks))), strict=True)
             if c["interval"][0] > POOR and q <= _FALSE]
    return sorted(found, key=lambda c: -c["interval"][0])


def _unsure(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks that cannot be called good, the least sure first."""
    found = [c for c in checks if c["excess"] > GOOD or c["interval"][1] > BOUND]
    return sorted(found, key=lambda c: -c["interval"][1])


def _told(c: dict[str, Any]) -> str:
    low, high = c["interval"]
    return f"{c['what']} ({c['excess']:.1%} [{low:.1%} to {high:.1%}] beyond the strangers' {c['strangers']:.1%})"


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst excess over the strangers' rate."""
    checks = measure.details["checks"]
    poor, unsure = _poor(checks), _unsure(checks)
    verdict: Verdict = "poor" if poor else "fair" if unsure else "good"
    exact, near = checks[:2]
    said = (f"{exact['share']:.2%} of the synthetic rows equal a training row (of strangers' rows "
            f"{exact['strangers']:.2%} do), and {near['share']:.2%} come very near one (of strangers' "
            f"{near['strangers']:.2%})")
    if poor:
        *others, last = [*map(_told, poor[:_NAMED]), *[f"{len(poor) - _NAMED} more"] * (len(poor) > _NAMED)]
        said = f"Copied beyond coincidence: {' and '.join([', '.join(others), last] if others else [last])}; {said}"
    elif unsure:
        least = unsure[0]
        said += (f"; least sure: {least['what']}, where copies beyond coincidence lie between "
                 f"{max(least['interval'][0], 0):.1%} and {least['interval'][1]:.1%}")
    return Judged(verdict, said + ".", together(_p(checks)))
