"""Whether synthesis lets other columns tell sensitive ones better than in real data: rise of the AUC, 0 is best.

A small gradient boosting predicts the groups of each sensitive column (its four most frequent levels and the rest, or
four bands of a number with round edges) from all other columns but the target, cross-fitted in two halves, in synthetic
and in real rows (training and holdout rows together), equally many of each: the AUC, averaged over groups of more than
two, and at least 0.5; its error is DeLong's, and no less than the two halves tell. Beside it every single column's
association with the sensitive one (Cramér's V without its bias, Bergsma 2013, on about ten bins; delete-a-block
jackknife, and no less than independent columns give): a column that tells much of a sensitive one is a proxy of it, and
a model that must not see the one sees it through the other (Datta et al. 2017). The measure is the rise of the AUC that
rose most surely; columns that became proxies, or stronger ones, are named with a false discovery rate of 5 %. Strong
proxies that real data have are told, but are no fault of the synthesis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2, norm

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._groups import LEAST, Groups, crossed, groups_of, sensitive_groups
from verisyn.metrics._models import affordable, classifier, matrices, predicted
from verisyn.metrics._stats import Influence, Z, adjusted, auc, jackknife, p_beyond, together
from verisyn.metrics._tables import associations, left_out
from verisyn.metrics.fairness._gaps import SURE

title = "Do other columns tell sensitive ones more than in real data?"
needs = ("features", "coarse")
best, worst = 0.0, 0.5
stand_in = None
floor = False
place = 3
references = ("https://doi.org/10.1016/j.jkss.2012.10.002", "https://arxiv.org/abs/1707.08120")
RISE, SLIGHT = 0.10, 0.04
"""A rise of the AUC by a tenth lets one more pair of people in ten be told apart; one by four hundredths is small."""
PROXY, FAINT = 0.20, 0.10
"""A rise of the association by a fifth is that from none to a medium one; a tenth (a small one) can hardly be seen."""
rule = (f"poor: the AUC of some sensitive column rose by more than {RISE}, or its association with some column by more "
        f"than {PROXY}, even at the low end of the interval; good: the surest rises are {SLIGHT} of the AUC and "
        f"{FAINT} of an association or less, or no more than chance; fair: otherwise")
LEVELS, FEW = 4, 20
_ROWS, _ROUNDS, _COLUMNS, _LOOKED = 3_000, 20, 8, 10


@dataclass(frozen=True)
class _Rise:
    """One figure in real and in synthetic data, and its rise with the interval."""

    sensitive: str
    column: str
    real: float
    fake: float
    half: float

    @property
    def value(self) -> float:
        return self.fake - self.real

    @property
    def interval(self) -> tuple[float, float]:
        return self.value - self.half, self.value + self.half

    def p(self, border: float) -> float:
        return p_beyond(self.value, self.interval, border)

    def shown(self) -> dict[str, Any]:
        return {"sensitive": self.sensitive, "column": self.column, "real": round(float(self.real), 6),
                "fake": round(float(self.fake), 6)}


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Predict each sensitive column from the others, in both; and hold every column against it."""
    enough({"synthetic": sides.fake.rows, "real": sides.train.rows + sides.holdout.rows}, 4 * LEAST)
    sensitive = [g.groups.column for g in sensitive_groups(sides)][:_COLUMNS]
    sides = sides.only([i for i, f in enumerate(sides.train.features) if f.name != sides.target or f.name in sensitive])
    kept = {f.name for f in sides.narrowed(rng).train.features} | {*sensitive}
    sides = sides.only([i for i, f in enumerate(sides.train.features) if f.name in kept])
    if len(kept) < 2:
        raise NotAnswered("there is no column beside the sensitive one")
    told, proxies, items = [], [], []
    for name in sensitive:
        rise = _told(sides, name, rng)
        mine = _proxies(sides, name)
        proxies += mine
        if rise is not None:
            told.append(rise)
            strongest = max(mine, key=lambda p: p.real)
            ends = [round(float(np.clip(rise.fake + by, 0, 1)), 6) for by in (-rise.half, rise.half)]
            items.append({"name": repr(name), "value": rise.shown()["fake"], "reference": rise.shown()["real"],
                          "interval": ends,
                          "note": f"strongest proxy in real data: {strongest.column!r} ({strongest.real:.2f})"})
    if not told:
        raise NotAnswered(f"no sensitive column has two groups of {FEW} synthetic and {FEW} real rows")
    return _measured(told, proxies, items)


def _told(sides: Sides, name: str, rng: np.random.Generator) -> _Rise | None:
    """How well a sensitive column is predicted from the others in synthetic and in real rows."""
    at = [f.name for f in sides.train.features].index(name)
    groups = groups_of(sides.train.features[at], levels=LEVELS)
    rows = affordable(len(sides.train.features) - 1, most=min(_ROWS, sides.effort.learnt // 2))
    each = min(rows, sides.fake.rows, sides.train.rows + sides.holdout.rows)
    real = round(each * sides.train.rows / (sides.train.rows + sides.holdout.rows))
    drawn = [sides.fake.some(each, rng), sides.train.some(real, rng), sides.holdout.some(each - real, rng)]
    (fake, *parts), categories = matrices(drawn, omit=name)
    codes = [groups.of(side.features[at]) for side in drawn]
    x, y = (fake, np.vstack(parts)), (codes[0], np.concatenate(codes[1:]))
    counts = [np.bincount(code + 1, minlength=len(groups.names) + 1)[1:] for code in y]
    asked = np.flatnonzero(np.minimum(*counts) >= FEW)
    if len(asked) < 2:
        return None
    (made, error), (held, other) = (_predicted(a, b, asked, categories, rng) for a, b in zip(x, y, strict=True))
    return _Rise(name, "", max(0.5, held), max(0.5, made), Z * float(np.hypot(error, other)))  # below 0.5 is chance


def _predicted(x: np.ndarray, y: np.ndarray, asked: np.ndarray, categories: list[bool],
               rng: np.random.Generator) -> tuple[float, float]:
    """The AUC, cross-fitted: each half of the rows is judged by a model of the other; and its standard error.

    That is DeLong's, and no less than the halves tell by their difference, which holds what models learn by chance.
    """
    inside = np.isin(y, asked)
    x, y = x[inside], y[inside]
    fold, score = np.empty(len(y), bool), np.zeros((len(y), int(asked.max()) + 1))
    for c in asked:  # every group is in both halves
        mine = np.flatnonzero(y == c)
        fold[mine] = rng.permutation(len(mine)) % 2 == 0
    for half in (fold, ~fold):
        score[np.ix_(half, asked)] = predicted(classifier(x[~half], y[~half], categories, _ROUNDS), x[half])
    once = asked[1:] if len(asked) == 2 else asked

    def told(rows: np.ndarray) -> Influence:
        each = [auc(y[rows] == c, score[rows, c]) for c in once]
        return Influence(float(np.mean([e.value for e in each])), np.mean([e.rows for e in each], axis=0))

    whole, halves = told(np.ones(len(y), bool)), [told(half).value for half in (fold, ~fold)]
    return whole.value, max(float(whole.rows.std()) / len(y) ** 0.5, abs(halves[0] - halves[1]) / 2, 0.5 / len(y))


def _proxies(sides: Sides, name: str) -> list[_Rise]:
    """Every other column's association with a sensitive one; those that rose most with their intervals."""
    at = [f.name for f in sides.train.features].index(name)
    groups = groups_of(sides.train.features[at], levels=LEVELS)
    others = [i for i in range(len(sides.train.features)) if i != at]
    both = ([sides.train, sides.holdout], [sides.fake])
    tables = {i: [_table(groups, at, i, side) for side in both] for i in others}
    strength = {i: [float(associations(t[:1])[0]) for t in pair] for i, pair in tables.items()}
    looked = {*sorted(others, key=lambda i: strength[i][0] - strength[i][1])[:_LOOKED]}
    found = []
    for i in others:
        real, fake = strength[i]
        half = _half(tables[i]) if i in looked else 1.0
        found.append(_Rise(name, sides.train.features[i].name, real, fake, half))
    return found


def _table(groups: Groups, at: int, other: int, sides: list[Side]) -> np.ndarray:
    """Counts of groups by codes: of all rows, then without each of 20 interleaved blocks."""
    mine = np.concatenate([groups.of(side.features[at]) for side in sides])
    code = np.concatenate([side.coarse.values[:, other] for side in sides])
    return left_out(crossed(mine, len(groups.names), code, sides[0].coarse.sizes[other]))


def _half(tables: list[np.ndarray]) -> float:
    """Half the 95 % interval of the difference of two associations, by jackknife; at least what independence gives."""
    halves = []
    for table in tables:
        value, *less = associations(table)
        low, high = jackknife(value, np.array(less), np.full(2, value))
        halves.append(max(high - value, value - low, _by_chance(table[0])))
    return float(np.hypot(halves[0], halves[1]))


def _by_chance(table: np.ndarray) -> float:
    """The association, without its bias, that 97.5 of 100 tables of independent columns stay below."""
    r, c = ((table.sum(axis=axis) > 0).sum() for axis in (1, 0))
    freedom, least = (r - 1) * (c - 1), min(r, c) - 1
    return float(np.sqrt((chi2.isf(0.025, freedom) - freedom) / (table.sum() * least))) if least > 0 else 0.0


def _measured(told: list[_Rise], proxies: list[_Rise], items: list[dict[str, Any]]) -> Measure:
    wider = float(norm.isf(0.025 / len(told))) / Z
    first = max(told, key=lambda r: r.value - wider * r.half)
    by_rise = sorted(proxies, key=lambda r: r.value, reverse=True)
    strong = sorted(proxies, key=lambda r: r.real, reverse=True)

    def named(rises: list[_Rise], border: float, least: float) -> list[dict[str, Any]]:
        sure = adjusted(np.array([min(1.0, 2 * r.p(border)) for r in rises])) <= SURE  # falls were looked for as well
        return [r.shown() for r, known in zip(rises, sure, strict=True) if known and r.value > least][:5]

    poor = [together([r.p(border) for r in rises]) for rises, border in ((told, RISE), (proxies, PROXY))]
    order = sorted(range(len(items)), key=lambda i: items[i]["reference"] - items[i]["value"])
    low, high = (float(max(0.0, x)) for x in first.interval)
    return Measure(float(max(0.0, first.value)), (low, high), {
        "_first": first.shown(), "_told_better": named(told, 0.0, SLIGHT), "_told_poor": named(told, RISE, RISE),
        "_risen": named(by_rise, 0.0, FAINT), "_proxies_poor": named(by_rise, PROXY, PROXY), "_p": together(poor),
        "strongest_proxies": [{"sensitive_column": r.sensitive, "told_by": r.column,
                               "association_in_real_data": r.shown()["real"],
                               "association_in_synthetic_data": r.shown()["fake"]} for r in strong[:10]],
        "items": [items[i] for i in order][:15], "items_say": {
            "value": "AUC of predicting the sensitive column from the others, in synthetic data",
            "reference": "the same in real data"}})


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge what rose; what real data have already is told."""
    d = measure.details
    poor, risen = d["_proxies_poor"] or d["_told_poor"], d["_told_better"] or d["_risen"]
    verdict: Verdict = "poor" if poor else "fair" if risen else "good"
    better, proxies = d["_told_poor"] or d["_told_better"], d["_proxies_poor"] or d["_risen"]
    said = []
    if better:
        said.append(f"Other columns predict {better[0]['sensitive']!r} better than in real data (AUC "
                    f"{better[0]['fake']:.2f}, in real data {better[0]['real']:.2f}).")
    said += [f"Column {p['column']!r} has become a {'stronger ' if p['real'] >= 0.1 else ''}proxy of "
             f"{p['sensitive']!r} (association {p['fake']:.2f}, in real data {p['real']:.2f})." for p in proxies[:2]]
    if not said:
        first, strong = d["_first"], d["strongest_proxies"][0]
        said = [f"Other columns predict sensitive ones no better than in real data ({first['sensitive']!r}: AUC "
                f"{first['fake']:.2f}, in real data {first['real']:.2f}).",
                f"The strongest proxy that real data have is {strong['told_by']!r}, of {strong['sensitive_column']!r} "
                f"(association {strong['association_in_real_data']:.2f})."]
    return Judged(verdict, " ".join(said), d["_p"])
