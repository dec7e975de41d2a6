"""Whether three columns interplay as in real data, beyond what their pairs show: 1 - the strength of the worst triple.

Every pair of columns can be right and three of them wrong, as where one says whether two others are alike. The bins of
each column (about ten) are merged to two to four groups of rows, so that tables of three columns are dense. For each
triple the tables of synthetic and of training rows are fitted by the model that gives each side its own pairs, but both
the same three-way interaction: the loglinear model without the interaction of the three columns and the side, by
iterative proportional fitting (Bishop, Fienberg and Holland 1975). Pearson's X² of the fit, over cells where a row or
more is expected, has (a-1)(b-1)(c-1) degrees of freedom (times the share of such cells). The strength of the difference
is sqrt((X² - chance) / n), Cohen's w (1988) for sides of equal size: 0 where pairs explain every difference, 1 where
the triple alone tells the sides apart; where the pairs are right, at most that share of rows is in a wrong cell. Chance
is what the worst of all triples stays under in 95 of 100 samples of real rows. The interval inverts X²'s noncentral
distribution, for all triples at once (Bonferroni). Up to 1 200 triples are looked at; of more, those with the target
first and then a choice drawn by a seed. The ceiling is the same for holdout rows in the synthetic rows' place.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._interplay import GROUPS, Fit, compare, merged, tables
from verisyn.metrics._stats import adjusted, together

title = "Do three columns interplay as in real data, beyond their pairs?"
needs = ("coarse", "features")
best, worst = 1.0, 0.0
stand_in = None
references = ("https://doi.org/10.1007/978-0-387-72806-3", "https://doi.org/10.4324/9780203771587")
GOOD, POOR = 0.03, 0.10
"""Cohen calls 0.1 a small effect, one that careful eyes can see; at 0.03 three rows in a hundred are in a wrong cell
at most. Real tables have little of it to lose: columns of the adult census drawn alone come to 0.05."""
rule = (f"poor: the interplay of some triple differs by a strength of more than {POOR:.2f}, by more than chance (false "
        f"discovery rate 5 %); good: by {GOOD:.2f} or less in every triple; fair: otherwise")
_FDR, _SHOWN = 0.05, 15
_MOST, _LEAST = 1_200, 100
_FINE = 1_000
"""Rows of the smaller side from which on columns are cut in four: 64 cells then hold 16 rows each, or more."""


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Fit every triple of the synthetic and the training rows."""
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows}, _LEAST)
    fake, train, stranger = (side.some(sides.effort.learnt, sides.rng("triples"))
                             for side in (sides.fake, sides.train, sides.holdout))
    maps = _maps(train, GROUPS if min(fake.rows, train.rows) >= _FINE else GROUPS - 1)
    kept = [i for i, groups in enumerate(maps) if groups.max() > 0]
    if len(kept) < 3:
        raise NotAnswered("it takes three columns that vary to make a triple")
    names = [train.features[i].name for i in kept]
    triples = _triples(len(kept), [names.index(sides.target)] if sides.target in names else [])

    def counted(side: Side) -> np.ndarray:
        codes = side.coarse.values
        return tables(np.column_stack([maps[i][codes[:, i]] for i in kept]), triples)

    real = counted(train)
    found = compare(counted(fake), real)
    worst = int(np.argmax(found.squares))
    value, interval = 1 - float(found.strength[worst]), found.agreement(worst)
    if not sides.pictured:
        return Measure(value, interval)
    own = compare(counted(stranger), real) if stranger.rows >= _LEAST else None
    said = [" and ".join([", ".join(repr(names[k]) for k in t[:2]), repr(names[t[2]])]) for t in triples.tolist()]
    return Measure(value, interval, {
        **_items(found, own, said), "_p": together(found.p(POOR)), "triples": len(triples),
        "triples_in_all": len(kept) * (len(kept) - 1) * (len(kept) - 2) // 6, "rows": fake.rows,
        **({"ceiling": round(1 - float(own.strength.max()), 6)} if own else {})})


def _maps(train: Side, most: int) -> list[np.ndarray]:
    """Which group each code of each column belongs to, by the training rows."""
    coarse = train.coarse
    return [merged(np.bincount(coarse.values[:, i], minlength=size), not feature.levels, most)
            for i, (size, feature) in enumerate(zip(coarse.sizes, train.features, strict=True))]


def _triples(width: int, target: list[int]) -> np.ndarray:
    """All triples, or those with the target and a choice of the rest; the same for every asking."""
    in_all = width * (width - 1) * (width - 2) // 6
    if in_all <= _MOST:
        return np.array(list(combinations(range(width), 3)))
    rng, chosen = np.random.default_rng(width), set[tuple[int, ...]]()
    if target:
        others = [i for i in range(width) if i not in target]
        first = list(combinations(others, 2))
        drawn = rng.permutation(len(first))[:_MOST // 2]
        chosen |= {tuple(sorted((*target, *first[i]))) for i in drawn}
    while len(chosen) < _MOST:
        chosen.add(tuple(sorted(rng.choice(width, 3, replace=False).tolist())))
    return np.array(sorted(chosen))


def _items(found: Fit, own: Fit | None, said: list[str]) -> dict[str, Any]:
    """The triples that differ beyond chance, the worst first, as agreement: 1 - strength."""
    differ = np.flatnonzero(adjusted(found.p(0.0)) <= _FDR)
    order = differ[np.argsort(-found.squares[differ], kind="stable")]
    items = [{"name": said[i], "value": round(1 - float(found.strength[i]), 6),
              "reference": round(1 - float(own.strength[i]), 6) if own else None,
              "interval": [round(x, 6) for x in found.agreement(i)], "note": ""} for i in order[:_SHOWN]]
    return {"items": items, "triples_that_differ": len(differ), "items_say": {
        "value": "agreement of the interplay of three columns, synthetic rows with training rows",
        "reference": "the same of holdout rows"}}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the worst triple."""
    d, strength = measure.details, 1 - measure.value
    verdict: Verdict = "poor" if d["_p"] <= _FDR else "good" if strength <= GOOD else "fair"
    if not d["items"]:
        said = f"Beyond what pairs show, none of {d['triples']:,} triples of columns differs from real data by more "
        return Judged(verdict, said + "than chance.", d["_p"])
    item, said = d["items"][0], "Beyond what pairs show, "
    size = f"a strength of {1 - item['value']:.2f} (0 none, 1 altogether)"
    if verdict == "good":
        said += f"three columns interplay as in real data; the most different are {item['name']}, by {size}"
    else:
        said += f"{item['name']} interplay otherwise than in real data, by {size}"
    if d["triples_that_differ"] > 1:
        said += f", of {d['triples_that_differ']:,} among {d['triples']:,} triples that differ by more than chance"
    return Judged(verdict, said + ".", d["_p"])
