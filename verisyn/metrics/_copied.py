"""What copies are: keys that are equal to six digits, rows very near, and how many beyond the rate of strangers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure, Verdict
from verisyn.kinds import Feature, K
from verisyn.metrics import Sides
from verisyn.metrics._counts import excess
from verisyn.metrics._near import affordable, nearest
from verisyn.metrics._stats import adjusted, p_beyond, together, wilson

POOR, GOOD, BOUND = 0.005, 0.01, 0.05
"""One in 200 copied beyond coincidence is a fault, not chance; 5 % is the widest bound that is called good."""
_CLOSE, _HALF, _FALSE, _NAMED = 0.01, 0.5, 0.05, 10
_QUERIES, _CELLS = 2_500, 60_000_000


def hashed(features: Sequence[Feature]) -> np.ndarray:
    """Return one 64-bit key for every row, equal where all features are equal to six digits."""
    return pl.DataFrame({str(i): six_digits(f.values) for i, f in enumerate(features)}).hash_rows(seed=0).to_numpy()


def six_digits(values: np.ndarray) -> np.ndarray:
    """Round to six significant digits; NaN and 0 stay (adding 0.0 makes -0.0 a plain 0)."""
    size = np.abs(values)
    power = np.floor(np.log10(np.where(size > 0, size, 1.0), where=~np.isnan(size), out=np.zeros_like(size)))
    unit = 10.0 ** np.clip(power - 5, -300, 300)
    return np.round(values / unit) * unit + 0.0


def rare_keys(keys: np.ndarray) -> np.ndarray:
    """Return the keys that fewer than five have."""
    unique, counts = np.unique(keys, return_counts=True)
    return unique[counts < K]


def near_flags(sides: Sides, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
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


def excess_of(what: str, fake: np.ndarray, strangers: np.ndarray) -> dict[str, Any]:
    """Return a check: how many synthetic ones are flagged beyond the strangers' rate."""
    told = excess(fake, strangers)
    return {"what": what, "rows": len(fake), "share": told["share"], "strangers": told["holdout"],
            "excess": told["excess"], "interval": told["interval"]}


def p_of(checks: list[dict[str, Any]]) -> list[float]:
    """Return the chance of each check's excess if in truth it were at the border of poor."""
    return [p_beyond(c["excess"], tuple(c["interval"]), POOR) for c in checks]


def poor_of(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks that show copies beyond coincidence, the surest first."""
    found = [c for c, q in zip(checks, adjusted(np.array(p_of(checks))), strict=True)
             if c["interval"][0] > POOR and q <= _FALSE]
    return sorted(found, key=lambda c: -c["interval"][0])


def unsure_of(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the checks that cannot be called good, the least sure first."""
    found = [c for c in checks if c["excess"] > GOOD or c["interval"][1] > BOUND]
    return sorted(found, key=lambda c: -c["interval"][1])


def said_of(c: dict[str, Any]) -> str:
    """Say one check's excess."""
    low, high = c["interval"]
    return f"{c['what']} ({c['excess']:.1%} [{low:.1%} to {high:.1%}] beyond the strangers' {c['strangers']:.1%})"


def measured(checks: list[dict[str, Any]], details: dict[str, Any]) -> Measure:
    """Return the share of copies in the check that decides, with Wilson's interval; `details` are told too."""
    decides = (poor_of(checks) or unsure_of(checks) or checks)[0]
    return Measure(decides["share"], wilson(decides["share"] * decides["rows"], decides["rows"]), {
        **details, "decides": decides["what"], "checks": checks, "ceiling": decides["strangers"]})


def judged(checks: list[dict[str, Any]], said: str) -> Judged:
    """Judge the worst excess over the strangers' rate; `said` is the sentence where there is none."""
    poor, unsure = poor_of(checks), unsure_of(checks)
    verdict: Verdict = "poor" if poor else "fair" if unsure else "good"
    if poor:
        *others, last = [*map(said_of, poor[:_NAMED]), *[f"{len(poor) - _NAMED} more"] * (len(poor) > _NAMED)]
        said = f"Copied beyond coincidence: {' and '.join([', '.join(others), last] if others else [last])}; {said}"
    elif unsure:
        least = unsure[0]
        said += (f"; least sure: {least['what']}, where copies beyond coincidence lie between "
                 f"{max(least['interval'][0], 0):.1%} and {least['interval'][1]:.1%}")
    return Judged(verdict, said + ".", together(p_of(checks)))
