"""How well an attacker tells the most unusual rows it learnt from, which averages hide, from strangers; 0.5 is best.

How unusual a row is, is the sum over its columns of -log of how rare so extreme a value is among reference rows: twice
the smaller tail of a number, the frequency of a level or of a missing value (in the manner of ECOD: Li, Zhao, Hu,
Botta, Ionescu and Chen, IEEE TKDE 2022); it does not depend on units. Attacked are the most unusual 1 % of the
training rows, or so many more that as large a share of the holdout is 100 rows (at most 5 %, at least 30 rows),
against equally unusual holdout rows. The attack is by the ratio of distances, log(distance to the nearest reference
row) - log(distance to the nearest synthetic row); one half of the holdout serves as reference for the other, and both
for the training rows. The value is the AUC, its interval DeLong's. Beside it: how many are caught where one in a
hundred of these strangers is accused (as in `privacy.membership`; it takes 500 of them); how many score above all of
these strangers but one in a hundred (Wilson's interval), of how few there may be; and the kinds of record that the
membership attack finds most easily, described by one or two conditions and ranked at a false discovery rate of 5 %.
Real strangers in the synthetic rows' place would give 0.5 on average.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verisyn.findings import Judged, Measure, Verdict
from verisyn.kinds import Feature
from verisyn.metrics import Side, Sides, enough, has_columns
from verisyn.metrics._attack import FEW, bounds, nearer, rates
from verisyn.metrics._kinds_of_record import most_exposed
from verisyn.metrics._near import nearest
from verisyn.metrics._stats import auc, clopper_pearson, p_beyond, together, wilson

title = "Are unusual people exposed, whom averages hide?"
needs = ("features", "vectors")
best, worst = 0.5, 1.0
stand_in, floor = None, False
references = ("https://arxiv.org/abs/2201.00382", "https://arxiv.org/abs/2302.12580")
POOR, WIDE = 0.60, 0.70
"""Unusual rows are few: 0.60 is about what a hundred of them, and a hundred strangers, cannot give by chance; beyond
0.70 the interval has too few rows behind it to be called good."""
CAUGHT = 0.05
"""Five times as many of the unusual caught as strangers accused: one in twenty is as good as named. Where there are so
few strangers that more of them than this might stand accused in truth, that many must be surpassed."""
rule = (f"poor: AUC above {POOR:.2f}, or more than {CAUGHT:.0%} of the unusual found before all but 1 % of "
        "the strangers (where these are few: more than their share there can be by chance), or a kind of "
        f"record with an AUC above {POOR:.2f}, even at the low end of the interval; good: AUC of {POOR:.2f} or "
        f"less, and {WIDE:.2f} or less at the high end; fair: otherwise")
_SHARE, _MOST_SHARE, _ROWS, _FEWEST, _FALSE = 0.01, 0.05, 100, 30, 0.05
_LEAST = 5 * _FEWEST


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Attack the most unusual training rows and as unusual holdout rows."""
    strangers = sides.strangers
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "holdout": strangers.rows}, _LEAST)
    has_columns(sides)
    kinds = most_exposed(sides, POOR)
    sides = sides.narrowed(rng)
    share = _share(min(sides.train.rows, sides.holdout.rows))
    halves = [sides.holdout.take(part) for part in np.array_split(rng.permutation(sides.holdout.rows), 2)]
    members = [sides.train.take(part) for part in np.array_split(rng.permutation(sides.train.rows), 2)]
    rows, _ = bounds(sides)
    fake = sides.fake.some(rows, rng)
    score = [_scores(asked, halves[::-1], share, fake, rows) for asked in (members, halves)]
    truth = np.arange(sum(map(len, score))) < len(score[0])
    found, few = auc(truth, np.concatenate(score)), rates(truth, np.concatenate(score))
    accused = int(FEW * len(score[1]))
    above = int((score[0] > np.sort(score[1])[::-1][accused]).sum())
    return Measure(found.value, found.interval(), {
        "members": len(score[0]), "strangers": len(score[1]), "share": round(share, 6), "ceiling": 0.5,
        "caught": few["caught"], "caught_interval": few["caught_interval"],
        "not_measured": few["not_measured"][:1] if few["caught"] is None else [],
        "above": above, "strangers_above": accused, "_above_interval": wilson(above, len(score[0])),
        "_above_border": max(CAUGHT, clopper_pearson(accused, len(score[1]))[1]), **kinds,
        "items": [{"name": k["kind"], "value": k["auc"], "reference": kinds["auc_on_all_rows"],
                   "interval": k["interval"], "note": f"{k['rows']} attacked; {k['note']}"} for k in kinds["exposed"]],
        "items_say": {"value": "AUC of the membership attack within this kind of record",
                      "reference": "AUC on all records"}})


def _share(rows: int) -> float:
    """Which share of rows counts as the most unusual."""
    return max(_SHARE, min(_ROWS / rows, _MOST_SHARE), _FEWEST / rows)


def _scores(asked: list[Side], references: list[Side], share: float, fake: Side, rows: int) -> np.ndarray:
    """Attack the most unusual rows of two parts, each seen from a reference of its own."""
    seen = list(zip(asked, references, strict=True))
    far = np.concatenate([unusual(part.features, other.features) for part, other in seen])
    chosen = np.argsort(-far, kind="stable")[:max(1, round(share * len(far)))]
    cut, found = asked[0].rows, []
    for (part, other), mine in zip(seen, (chosen[chosen < cut], chosen[chosen >= cut] - cut), strict=True):
        x = part.take(mine).vectors
        reference = other.take(np.arange(min(rows, other.rows))).vectors
        found.append(nearer(nearest(x, reference)[0], nearest(x, fake.vectors)[0]))
    return np.concatenate(found)


def unusual(asked: Sequence[Feature], reference: Sequence[Feature]) -> np.ndarray:
    """Return how unusual each row is: the sum of -log of how rare so extreme a value is in the reference."""
    return np.sum([_rare(a, r) for a, r in zip(asked, reference, strict=True)], axis=0)


def _rare(asked: Feature, reference: Feature) -> np.ndarray:
    gone, rows = np.isnan(asked.values), len(reference.values)
    known = np.sort(reference.values[~np.isnan(reference.values)])
    below, upto = (np.searchsorted(known, asked.values, side) for side in ("left", "right"))
    if asked.levels:
        held = (upto - below).astype(float)
    else:
        held = np.minimum(len(known), 2.0 * np.minimum(upto, len(known) - below))
    held = np.where(gone, rows - len(known), held)
    return -np.log((held + 0.5) / (rows + 0.5))


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the AUC, the share caught, and the most exposed kind of record."""
    d, (low, high) = measure.details, measure.interval
    p = [p_beyond(measure.value, measure.interval, POOR), d["_kinds_p"],
         p_beyond(d["above"] / d["members"], d["_above_interval"], d["_above_border"])]
    by_kind, above = d["_kinds_p"] <= _FALSE, d["_above_interval"][0] > d["_above_border"]
    verdict: Verdict = "good" if measure.value <= POOR and high <= WIDE else "fair"
    if low > POOR or above or by_kind:
        verdict = "poor"
    said = (f"Of the {d['members']:,} most unusual rows it learnt from ({d['share']:.1%}) and strangers as unusual, "
            f"the attacker picks the right one in {measure.value:.1%} of cases [{low:.1%} to {high:.1%}] (a coin: "
            f"50%)")
    if d["caught"] is not None:
        said += f", and catches {d['caught']:.1%} at one false alarm in a hundred"
    elif above:
        first = f"all but {d['strangers_above']} of the" if d["strangers_above"] else "any of the"
        said += f"; {d['above']} of them are found before {first} {d['strangers']} strangers"
    said += f". {d['_exposed_say']}"
    if by_kind and d["auc_on_all_rows"] > POOR:
        said += f" All kinds together are: on all rows the attacker is right in {d['auc_on_all_rows']:.1%} of cases."
    return Judged(verdict, said, together(p))
