"""Whether columns of tables that are linked depend on each other as strongly as in real data: 1 - the mean difference.

Pairs of columns are looked at across one link (a row and its parent), across two (a row and its parent's parent), and
from a parent, or a parent's parent, to another parent by a row that points to both, in the manner of SyntheRela's
k-hop trends (Hudovernik, Jurkovič and Štrumbelj 2024); beside the columns of a parent stands how many children it has,
or, where its rows are the real ones (a public table), which row it is. Strengths are those of `fidelity.dependence`:
Cramér's V without its bias (Bergsma 2013) on joint bins, for two columns with an order Spearman's rank correlation
too, and the greater of the two differences counts. The standard errors come from a delete-a-block jackknife of whole
families (20 blocks; by the ancestor that most rows share), for rows of one parent are not independent. Up to 200 pairs
a path, drawn by the seed. Pairs are named where their difference is no chance at a false discovery rate of 5 % over
all pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._paths import Compared, Path, followed, paths
from verisyn.metrics._per_link import entry
from verisyn.metrics._stats import adjusted, jackknife, together
from verisyn.metrics._tables import BLOCKS
from verisyn.metrics.fidelity.dependence import GOOD, LOST, Tested, note
from verisyn.schema import Link

title = "Do columns of linked tables depend on each other as in real data?"
needs = ("links",)
best, worst = 1.0, 0.0
stand_in = "train"
rule = (f"poor: some pair's strength moved by more than {LOST:.2f}, by more than chance (false discovery rate 5 %); "
        f"good: none did, and on average strengths are within {GOOD:.2f} of what real rows reach; fair: otherwise")
references = ("https://arxiv.org/abs/2410.03411", "https://doi.org/10.1016/j.jkss.2012.10.002")
_FDR, _SHOWN, _MEAN = 0.05, 15, 0.03


@dataclass(frozen=True)
class _Pair:
    """One pair of columns: its path, its name, both strengths, the error of the synthetic one, and its p-values."""

    path: Path
    name: str
    rank: bool
    fake: float
    real: float
    error: float
    any: float
    lost: float


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Follow every path, and compare the strengths at its ends."""
    found = [made for path in paths(sides) if (made := followed(sides, path)) is not None]
    if not found:
        raise NotAnswered("no two linked tables have enough rows and columns that are modelled")
    gaps, pairs = [], []
    for compared in found:
        tested = _tested(compared)
        gaps.append(np.minimum(1.0, np.maximum(*(np.abs(t.gaps) for t in tested))))
        pairs += _pairs(compared, tested)
    mean = 1 - np.concatenate(gaps).mean(axis=0)
    interval = jackknife(float(mean[0]), mean[1:1 + BLOCKS], mean[1 + BLOCKS:])
    if not sides.pictured:
        return Measure(float(mean[0]), interval)
    sure = _once([pairs[i] for i in np.flatnonzero(adjusted(np.array([p.any for p in pairs])) <= _FDR)])
    moved = {id(pairs[i]) for i in np.flatnonzero(adjusted(np.array([p.lost for p in pairs])) <= _FDR)}
    return Measure(float(mean[0]), interval, {
        "paths": len(found), "pairs": sum(map(len, gaps)), "pairs_that_differ": len(sure), "items": _items(sure),
        "items_say": {"value": "strength of dependence in synthetic rows (rank correlation, where that moved more)",
                      "reference": "the same in real rows"},
        "links": [_link(link, found, gaps, sure, moved) for link in sides.schema.links
                  if any(link in compared.path.links for compared in found)],
        "_p": together([p.lost for p in pairs])})


def _tested(compared: Compared) -> tuple[Tested, Tested]:
    kins = (compared.fake.kins, compared.real.kins)
    return (Tested(compared.fake.association, compared.real.association, kins),
            Tested(compared.fake.rank, compared.real.rank, kins))


def _pairs(compared: Compared, tested: tuple[Tested, Tested]) -> list[_Pair]:
    found = []
    for rank, test in enumerate(tested):
        chance, lost = test.p(0.0), test.p(LOST)
        found += [_Pair(compared.path, name, bool(rank), float(test.fake[i]), float(test.real[i]),
                        float(test.errors[0][i]), float(chance[i]), float(lost[i]))
                  for i, name in enumerate(compared.names) if not rank or compared.ordered[i]]
    return found


def _once(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Each pair of a path once, as it moved most; the greatest moves first."""
    first: dict[tuple[int, str], _Pair] = {}
    for pair in sorted(pairs, key=lambda p: -abs(p.fake - p.real)):
        first.setdefault((id(pair.path), pair.name), pair)
    return [*first.values()]


def _items(pairs: Sequence[_Pair]) -> list[dict[str, Any]]:
    reach = student.ppf(0.975, BLOCKS - 1)
    return [{"name": p.name, "value": round(p.fake, 6), "reference": round(p.real, 6),
             "note": f"{note(p.fake, p.real, p.rank)}; by {' and '.join(link.name for link in p.path.links)}",
             "interval": [round(max(-1.0 if p.rank else 0.0, p.fake - reach * p.error), 6),
                          round(min(1.0, p.fake + reach * p.error), 6)]} for p in pairs[:_SHOWN]]


def _link(link: Link, found: Sequence[Compared], gaps: Sequence[np.ndarray], sure: Sequence[_Pair], moved: set[int]
          ) -> dict[str, Any]:
    """What is said of one link: of all pairs whose path leads along it."""
    mean = 1 - np.concatenate([g for c, g in zip(found, gaps, strict=True) if link in c.path.links]).mean(axis=0)
    mine = [pair for pair in sure if link in pair.path.links]
    interval = jackknife(float(mean[0]), mean[1:1 + BLOCKS], mean[1 + BLOCKS:])
    verdict: Verdict = "poor" if any(id(p) in moved for p in mine) else "good" if 1 - mean[0] <= _MEAN else "fair"
    said = f"Strengths of dependence along it differ by {1 - mean[0]:.3f} on average"
    said += f"; the most moved: {_told(mine[0])}" if mine else "; no pair differs beyond chance"
    return entry(link, title, verdict, said + ".", Measure(float(mean[0]), interval, {"items": _items(mine)}))


def _told(pair: _Pair) -> str:
    return (f"that of {pair.name} is {note(pair.fake, pair.real, pair.rank)}, {pair.fake:.2f} where real rows have "
            f"{pair.real:.2f}")


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge the greatest move of a pair that is no chance, and the mean."""
    d, gap = measure.details, (1.0 if ceiling is None else ceiling) - measure.value
    near = gap <= (GOOD if ceiling is not None else _MEAN)
    verdict: Verdict = "poor" if d["_p"] <= _FDR else "good" if near else "fair"
    said = f"The strength of dependence across links differs from real data's by {1 - measure.value:.3f} on average"
    beside = [f"{who} {1 - value:.3f}" for who, value in (
        ("real rows", ceiling), ("parents drawn at random", floor)) if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    if not d["items"]:
        return Judged(verdict, f"{said}; no pair differs beyond chance.", d["_p"])
    first = d["items"][0]
    said += (f"; that of {first['name']} is {first['note'].split(';')[0]}: {first['value']:.2f}, in real rows "
             f"{first['reference']:.2f}")
    many = d["pairs_that_differ"]
    more = f", the most of {many} pairs that differ beyond chance" if many > 1 else ""
    return Judged(verdict, f"{said}{more}.", d["_p"])
