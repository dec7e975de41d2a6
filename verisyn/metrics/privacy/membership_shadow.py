"""How well an attacker tells members by imitating the generator, a likelihood ratio over shadows; AUC, 0.5 is best.

The attacker fits shadow generators, each on another random half of some training and some holdout rows together, so
that every row is in half of them, and makes synthetic rows of each. From them he learns, for every row, how near
synthetic rows come to it where it was learnt from and where it was not: -log(distance to the nearest synthetic row),
taken as Gaussian, with a mean and a spread of its own, and one shift for all rows that were learnt from. The score of
a row is the log of the likelihood ratio of its nearness in the assessed data under the two (LiRA: Carlini, Chien,
Nasr, Song, Terzis and Tramèr, IEEE S&P 2022); what sets all rows apart from the shadows alike is taken out. The
shadows are made by `table.trees`, with its own defaults, and stand in for the assessed generator, whatever that was:
an attacker who knows it and fits shadows of its own kind can do better, so this is a bound from below. The interval is
DeLong's. Beside it: how many members are caught at one false alarm in a hundred, and in a thousand, with intervals that
count the error of the threshold too, and the least ε of differential privacy that is compatible with the attack's
success, as if rows were independent; both as in `privacy.membership`. Real strangers in the synthetic rows' place would
give 0.5 on average.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._attack import LEAST, bounds, nearness
from verisyn.metrics._near import nearest
from verisyn.metrics.privacy import membership

title = "Can an attacker who imitates the generator tell whose rows were learnt from?"
needs = ("frame", "vectors")
best, worst = 0.5, 1.0
stand_in, floor = None, False
effort = "thorough"
references = ("https://arxiv.org/abs/2112.03570",)
rule = membership.rule
_GENERATOR = "table.trees"
_EACH, _CELLS, _MADE = 4_000, 60_000, 20_000
"""Members, and strangers, that are attacked; cells of either; synthetic rows that are looked at."""
_FEWEST, _PRIOR, _LEAST_SHIFT = 4, 4.0, 0.05


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Fit the shadows, look at every row in each of them and in the synthetic data."""
    strangers, shadows = sides.strangers, sides.effort.shadows // 2 * 2
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, LEAST)
    has_columns(sides)
    if shadows < _FEWEST:
        raise NotAnswered(f"it takes {_FEWEST} shadow generators, and this effort allows {sides.effort.shadows}")
    if sides.table is None or sides.coder is None:
        raise NotAnswered("shadow generators cannot be fitted without a description of the table")
    each = min(sides.train.rows, strangers.rows, _EACH, max(LEAST, _CELLS // len(sides.train.features)))
    asked = [side.some(each, rng) for side in (sides.train, strangers)]
    x = np.vstack([side.vectors for side in asked])
    rows = min(sides.fake.rows, _MADE, bounds(sides)[0])
    inside, scores = _shadows(sides, [side.frame for side in asked], x, rows, shadows, rng)
    seen = _nearness(x, sides.fake.some(rows, rng))
    truth = np.arange(2 * each) < each
    return membership.measured(truth, likelihood_ratio(seen, scores, inside), {
        "members": each, "strangers": each, "shadows": shadows, "shadows_are": _GENERATOR, "rows_of_each_shadow": each,
        "synthetic": rows, "ceiling": 0.5})


def _shadows(sides: Sides, frames: list[pl.DataFrame], x: np.ndarray, rows: int, shadows: int,
             rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which rows each shadow learnt from, bool (shadows, rows), and how near each came to every row."""
    from verisyn.model import fit_table
    from verisyn.schema import Schema

    assert sides.table is not None and sides.coder is not None
    schema = Schema(tables=(sides.table,))
    pool = pl.concat([frame.select(sides.table.names) for frame in frames])
    inside, scores = np.empty((shadows, pool.height), bool), np.empty((shadows, pool.height))
    for s in range(shadows):
        inside[s] = ~inside[s - 1] if s % 2 else rng.permutation(pool.height) < pool.height // 2
        seed = int(rng.integers(2**31))
        learnt = pool.filter(pl.Series(inside[s]))
        model = fit_table(learnt, schema, generator=_GENERATOR, seed=seed, jobs=1, audit=False)
        made = Side.of(model.sample_frame(rows, seed=seed, jobs=1), sides.coder, sides.train.scales)
        scores[s] = _nearness(x, made)
    return inside, scores


def _nearness(x: np.ndarray, made: Side) -> np.ndarray:
    return nearness(nearest(x, made.vectors)[0])


def likelihood_ratio(seen: np.ndarray, scores: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the log of the Gaussian likelihood ratio of every row: learnt from, against not.

    Parameters
    ----------
    seen : float array of shape (rows,)
        The score of each row in the assessed data.
    scores : float array of shape (shadows, rows)
        Its score in each shadow's data.
    inside : bool array of shape (shadows, rows)
        Whether the shadow learnt from it.

    Notes
    -----
    The shift between the two means is one for all rows, because a few shadows cannot tell a shift for each; for the
    same reason a row's variance is drawn towards that of all rows. A shift that is not seen, because the shadows leak
    less than the assessed generator, counts as a small positive one.
    """
    shift = (np.where(inside, scores, 0).sum(axis=0) / inside.sum(axis=0)
             - np.where(inside, 0, scores).sum(axis=0) / (~inside).sum(axis=0)).mean()
    outside = scores - inside * shift
    mean, free = outside.mean(axis=0), len(scores) - 1
    squares = ((outside - mean) ** 2).sum(axis=0)
    spread = np.sqrt((_PRIOR * squares.mean() / free + squares) / (_PRIOR + free)) + 1e-12
    z = (seen - mean) / spread
    step = max(shift, _LEAST_SHIFT * spread.mean()) / spread
    return step * (z - np.median(z)) - step**2 / 2


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC and the shares caught."""
    low, high = measure.interval
    said = (f"With {measure.details['shadows']} generators of our own that stand in for the assessed one, an attacker "
            f"tells a row that was learnt from and a stranger's apart in {measure.value:.1%} of cases [{low:.1%} to "
            f"{high:.1%}] (a coin: 50%)")
    return membership.judged(measure, said)
