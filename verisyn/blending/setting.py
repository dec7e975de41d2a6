"""Sets the search up: which real rows it uses, in which folds, how a mix is scored, how a part is made anew."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.blending.criteria import Criterion, Prediction
from verisyn.blending.likelihood import Likelihood
from verisyn.blending.plan import Plan, nested, validated
from verisyn.blending.search import Bench
from verisyn.blending.seen import Seen
from verisyn.blending.sources import LEAST, Given, Part, Stock
from verisyn.errors import UserError
from verisyn.metrics import Effort, Side
from verisyn.metrics._models import affordable
from verisyn.progress import Progress

_REPEATS = {"quick": ((0, 1),), "standard": ((600, 3), (2_500, 2), (0, 1)), "thorough": ((600, 10), (2_500, 6), (0, 3))}
"""Up to so many rows (0: any number), so many repetitions of the folds."""
_FOLDS = {"quick": 4, "standard": 5, "thorough": 5}
_LIKELIHOOD = 0.4
"""The share of rows that is affordable where a whole generator is fitted for each score."""
_RARE, _LEAST_ROWS, _LEAST_POOL = 100, 500, 2_000


def set_up(stock: Stock, seen: Seen, given: Given, effort: Effort) -> tuple[Bench, Plan]:
    """Return what scores are made of, and the folds.

    Raises
    ------
    UserError
        If too few rows hold a value of the target.
    """
    rng = np.random.default_rng([given.seed, 0xF01D])
    share = _LIKELIHOOD if given.target is None else 1.0
    most = max(_LEAST_ROWS, round(share * affordable(len(seen.kept), effort.learnt) / (1 + given.most)))
    strata = _criterion(seen, given, seen.real, seen.real).strata
    usable = np.flatnonzero(strata >= 0)
    if len(usable) < LEAST:
        raise UserError(f"Only {len(usable)} real rows have a value of the target {given.target!r}; it takes at least "
                        f"{LEAST}. Give more, or name another target.")
    real = seen.real.take(usable[_some(strata[usable], most, rng)])
    tested = real if stock.validation is None else seen.side(pl.concat([real.frame, stock.validation]))
    criterion = _criterion(seen, given, real, tested)
    pool = max(_LEAST_POOL, round(4 * given.most * real.rows))
    sides = [seen.side(p.frame).some(pool, rng) for p in stock.parts]
    bench = Bench(seen, criterion, tested, real.rows, stock.parts, sides,
                  lambda part, rows: _remade(part, rows, seen, given), given.seed)
    if stock.validation is None:
        repeats = next(n for rows, n in _REPEATS[effort.name] if real.rows <= rows or not rows)
        return bench, nested(criterion.strata, _FOLDS[effort.name], repeats, rng)
    held = np.flatnonzero(criterion.strata[real.rows:] >= 0)
    strata = criterion.strata[real.rows + held]
    plan = validated(strata, real.rows, _folds(criterion, strata), rng)
    return bench, plan.among(np.concatenate([np.arange(real.rows), real.rows + held]))


def _criterion(seen: Seen, given: Given, real: Side, tested: Side) -> Criterion:
    if given.target is None:
        return Likelihood(seen, tested, given.jobs or 1)
    return Prediction(seen, given.target, real, tested)


def _some(strata: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return about `most` positions, in order; of each stratum at least 100, or all there are."""
    share, order = min(1.0, most / len(strata)), rng.permutation(len(strata))
    kept = []
    for stratum in np.unique(strata):
        mine = order[strata[order] == stratum]
        kept.append(mine[:max(round(share * len(mine)), _RARE)])
    return np.sort(np.concatenate(kept))


def _remade(part: Part, real: pl.DataFrame, seen: Seen, given: Given) -> Side:
    """Fit the part's generator to some of the real rows, and see what it makes."""
    assert part.recipe is not None
    rows = max(1, round(max(1.0, given.most) * real.height))
    frame = part.recipe.learn(real).sample_frame(rows, seed=given.seed, jobs=given.jobs, progress=Progress())
    return seen.side(frame.select(seen.coder.columns))


def _folds(criterion: Criterion, strata: np.ndarray) -> int:
    """Return into how many folds the validation rows go: each is to hold each class that is asked for."""
    asked = criterion.task.asked if isinstance(criterion, Prediction) and criterion.task.classes else ()
    classes = (0, 1) if len(asked) == 1 else asked
    fewest = min([int((strata == c).sum()) for c in classes] or [len(strata)])
    if fewest < 2 or len(strata) < LEAST:
        raise UserError(f"The validation rows hold too little to test on: {len(strata)} rows with a target, the rarest "
                        f"class {fewest} times. Give at least {LEAST} rows that hold every class twice, or none.")
    return min(10, fewest)
