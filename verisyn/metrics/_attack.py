"""What attacks share: members and strangers with their distances, rates at few false alarms, risk beyond a control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import binom

from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._models import affordable, classifier, matrices, predicted
from verisyn.metrics._near import nearest
from verisyn.metrics._stats import Z, clopper_pearson, wilson

LEAST = 100
"""Rows of every side without which an interval on an attack would be too wide to say anything."""
FEW, FEWER = 0.01, 0.001
"""The rates of false alarms at which caught members are counted."""
CAUGHT = 0.03
"""Three times as many members caught as strangers accused shows a leak of single rows that the average hides."""
CAUGHT_OF_1000 = 0.01
"""Ten times as many members caught as strangers accused, where one stranger in a thousand is."""
_RATES = {"caught": (FEW, CAUGHT, 500), "caught_of_1000": (FEWER, CAUGHT_OF_1000, 1_000)}
"""The rate of false alarms, the share caught that is too many, and the strangers that a figure takes."""
_ROWS, _CELLS, _WORK = 5, 6e7, 600
_TAIL = 0.025 / 2
"""Of what each end of an interval may miss, the threshold's error takes one half and the share's the other."""
_FLOOR = 1e-3


@dataclass(frozen=True)
class Attack:
    """Members (training rows) and as many strangers (holdout rows), and how near the attacker's rows lie to each.

    Each is attacked with one half of the holdout as the attacker's reference, a stranger with the half that it is not
    in; the arrays hold the members first.

    Parameters
    ----------
    members, strangers : Side
    to_fake, to_reference : float arrays of shape (members + strangers,)
        The distance to the nearest synthetic row, and to the nearest row of the reference.
    odds : float array of shape (members + strangers,)
        Log of the odds that a row is synthetic rather than of the reference, by a classifier that learnt from both.
    reference, synthetic : int
        Rows that the attacker holds: of the population, and synthetic ones.
    """

    members: Side
    strangers: Side
    to_fake: np.ndarray
    to_reference: np.ndarray
    odds: np.ndarray
    reference: int
    synthetic: int

    @property
    def truth(self) -> np.ndarray:
        """Which rows are members."""
        return np.arange(self.members.rows + self.strangers.rows) < self.members.rows

    @cached_property
    def ratio(self) -> np.ndarray:
        """Log of the ratio of the synthetic to the reference density: by distance, and by the classifier."""
        return nearer(self.to_reference, self.to_fake) + self.odds


def attack(sides: Sides) -> Attack:
    """Return members and strangers with their distances; made once for all attacks on the same sides.

    Raises
    ------
    NotAnswered
        If there is no unseen holdout, no column, or too few rows.
    """
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, LEAST)
    has_columns(sides)
    return sides.shared("attack", lambda: _attacked(sides))


def _attacked(sides: Sides) -> Attack:
    rng = sides.rng("attack")
    sides = sides.narrowed(rng)
    rows, queries = bounds(sides)
    half = min(sides.holdout.rows // 2, rows)
    each = min(half, sides.train.rows // 2, queries // 4)
    fake, order = sides.fake.some(rows, rng), rng.permutation(sides.holdout.rows)
    first, second = (sides.holdout.take(part) for part in (order[:half], order[half:2 * half]))
    drawn = rng.permutation(sides.train.rows)
    members = [sides.train.take(part) for part in (drawn[:each], drawn[each:2 * each])]
    strangers = [side.take(np.arange(each)) for side in (first, second)]
    made = [_seen(fake, reference, [inside, outside], sides.effort.learnt, rng)
            for reference, inside, outside in zip((second, first), members, strangers, strict=True)]
    to_fake, to_reference, odds = (np.concatenate([made[i][j][k] for j in (0, 1) for i in (0, 1)]) for k in range(3))
    outside = sides.holdout.take(np.concatenate([order[:each], order[half:half + each]]))
    return Attack(sides.train.take(drawn[:2 * each]), outside, to_fake, to_reference, odds, half, fake.rows)


def bounds(sides: Sides) -> tuple[int, int]:
    """Return how many rows of a side, and how many queries against them, an attack by distance may cost."""
    most, width = sides.effort.attacked, max(1, sides.train.width)
    rows = int(np.clip(_CELLS / width, 1_000, _ROWS * most))
    searched = min(rows, max(sides.fake.rows, sides.holdout.rows))
    return rows, int(np.clip(_WORK * most**2 / (searched * width), min(most, 4 * LEAST), most))


def _seen(fake: Side, reference: Side, asked: list[Side], learnt: int, rng: np.random.Generator
          ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Distances of each asked side to the synthetic rows and to the reference, and the classifier's log odds."""
    rows = min(fake.rows, reference.rows, affordable(len(fake.features), learnt) // 4)
    (x, other, *x_asked), categories = matrices([fake.some(rows, rng), reference.some(rows, rng), *asked])
    model = classifier(np.vstack([x, other]), np.arange(2 * rows) < rows, categories)
    found = []
    for side, x in zip(asked, x_asked, strict=True):
        chance = np.clip(predicted(model, x)[:, 1], 1e-6, 1 - 1e-6)
        found.append((nearest(side.vectors, fake.vectors)[0], nearest(side.vectors, reference.vectors)[0],
                      np.log(chance) - np.log1p(-chance)))
    return found


def nearer(to_reference: np.ndarray, to_fake: np.ndarray) -> np.ndarray:
    """Return the log of how much nearer the synthetic rows come than the reference does."""
    return nearness(to_fake) - nearness(to_reference)


def nearness(distance: np.ndarray) -> np.ndarray:
    """Return minus the log of a distance, bounded where rows are equal."""
    return -np.log(distance + _FLOOR)


def rates(truth: np.ndarray, score: np.ndarray) -> dict[str, Any]:
    """Return the shares of members caught at 1 % and at 0.1 % false alarms, each with its 95 % interval.

    The threshold that so many of all strangers would pass is known only by the strangers at hand: at 97.5 % confidence
    it lies between two of their scores (a binomial count of them lies above it). The interval goes from the lower end
    of Clopper and Pearson's at the one to the upper end at the other, both at 97.5 %. Below 437 strangers, and 4 380 at
    0.1 %, the lower end is therefore 0: such a threshold could lie above all of them.

    Returns
    -------
    dict
        ``caught``, ``caught_interval``, and for the judge ``_caught_p``, the chance of so many caught if no more than
        :data:`CAUGHT` were in truth; the same for ``caught_of_1000``; ``not_measured``, what takes more strangers. With
        fewer than 500 and 1 000 of them a share is None.
    """
    members, strangers, unsaid = np.sort(score[truth]), np.sort(score[~truth])[::-1], []
    found: dict[str, Any] = {}
    for key, (rate, border, least) in _RATES.items():
        if len(strangers) < least:
            found |= {key: None, f"{key}_interval": None}
            unsaid.append(f"members caught at {rate:.1%} false alarms: it takes {least:,} strangers, and there are "
                          f"{len(strangers):,}")
            continue
        nearest, farthest = (int(binom.ppf(tail, len(strangers), rate)) for tail in (_TAIL, 1 - _TAIL))
        hits = len(members) - np.searchsorted(members, strangers[:farthest + 1], "right")  # by strangers let pass
        low = clopper_pearson(int(hits[nearest - 1]), len(members), _TAIL)[0] if nearest else 0.0
        high = clopper_pearson(int(hits[farthest]), len(members), _TAIL)[1]
        passed = np.arange(farthest + 1)
        p = 2 * np.maximum(binom.cdf(passed, len(strangers), rate), binom.sf(hits - 1, len(members), border)).min()
        found |= {key: round(float(hits[int(rate * len(strangers))] / len(members)), 6),
                  f"{key}_interval": [round(low, 6), round(high, 6)], f"_{key}_p": min(1.0, float(p))}
    return {**found, "not_measured": unsaid}


def leaked(truth: np.ndarray, score: np.ndarray) -> float:
    """Return the least ε of differential privacy that is compatible with an attack's success; a bound from below.

    Half of the rows choose the threshold, the other half give ln(lower end of the true-positive rate / upper end of
    the false-positive rate), both exact (Clopper and Pearson) and together of 95 % confidence, as if rows were
    independent (Jagielski, Ullman and Oprea, NeurIPS 2020). 0 says that the attack shows nothing.

    Examples
    --------
    >>> truth = np.arange(4000) % 4 < 2
    >>> leaked(truth, truth + 0.0) > 4, leaked(truth, np.arange(4000) % 7.0)
    (True, 0.0)
    """
    half = np.empty(len(truth), bool)
    for who in (truth, ~truth):
        half[who] = np.arange(who.sum()) % 2 == 0

    def bound(rows: np.ndarray, above: float) -> float:
        counts = [(int((score[rows & who] > above).sum()), int((rows & who).sum())) for who in (truth, ~truth)]
        low, high = clopper_pearson(*counts[0])[0], clopper_pearson(*counts[1])[1]
        return float(np.log(low / high)) if low > 0 else -np.inf

    others = np.sort(score[half & ~truth])[::-1]
    tried = sorted({others[i] for i in (*2 ** np.arange(8) - 1, len(others) // 4, len(others) // 2) if i < len(others)})
    best = max(tried, key=lambda above: bound(half, above))
    return max(0.0, bound(~half, best))


def residual(hits: float, rows: float, control_hits: float, control_rows: float) -> dict[str, Any] | None:
    """Return an attack's risk beyond its control: (attack - control) / (1 - control), with its 95 % interval.

    The risk and both ends are kept inside [-1, 1], which cuts off where strangers are found so much more often than
    training rows that the figure would tell nothing more.

    The interval is that of a ratio of two shares of failures (Pettigrew, Gart and Thomas 1986); the attack's and the
    control's own are Wilson's. None where the control never fails, so that there is nothing left to learn. Counts may
    be effective, fractional ones.

    Examples
    --------
    >>> found = residual(90, 100, 50, 100)
    >>> round(found["risk"], 6), [round(x, 2) for x in found["interval"]]
    (0.8, [0.62, 0.89])
    """
    missed, control_missed = rows - hits, control_rows - control_hits
    if control_missed <= 0:
        return None
    risk = 1 - (missed / rows) / (control_missed / control_rows)
    spread = 1 / (missed + 0.5) - 1 / (rows + 0.5) + 1 / (control_missed + 0.5) - 1 / (control_rows + 0.5)
    middle = np.log((missed + 0.5) / (rows + 0.5)) - np.log((control_missed + 0.5) / (control_rows + 0.5))
    ends = [1 - float(np.exp(middle + side * Z * np.sqrt(spread))) for side in (1, -1)]
    low, risk, high = (_round(max(-1.0, x)) for x in (min(ends[0], risk), risk, max(ends[1], risk)))
    return {"risk": risk, "interval": [low, high],
            "attack": _round(hits / rows), "attack_interval": list(map(_round, wilson(hits, rows))),
            "control": _round(control_hits / control_rows),
            "control_interval": list(map(_round, wilson(control_hits, control_rows)))}


def said(risk: Mapping[str, Any]) -> str:
    """Return a risk with its interval in words; nobody is told of less than none."""
    low, high = (max(0.0, end) for end in risk["interval"])
    return f"{max(0.0, risk['risk']):.1%} [{low:.1%} to {high:.1%}]"


def _round(value: float) -> float:
    return round(float(value), 6)
