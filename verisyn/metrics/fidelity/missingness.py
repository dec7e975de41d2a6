"""Whether gaps are as frequent as in real rows, come together as there, and depend on the same columns; 1 is best.

The value is the mean agreement of missing rates over columns with gaps: twice the smaller of the synthetic rows' and
the holdout's rate over the sum of the two, so 1 if equal and 0 if one has no gap (where more than half of the real
values are missing, the rate of those that are there counts). Its interval is a delete-a-block jackknife over the rows
of both sides. Columns with fewer than 20 gaps on both sides together are left
out. Three things are then tested, and named, at a false discovery rate of 5 % over all (Benjamini and Hochberg 1995):
each column's rate against all real rows, training and holdout (exact conditional binomial test of two counts); for
pairs of up to 40 columns, how often one is missing where the other is, in the same way; and whether gaps depend on
other columns: the strength of dependence (Cramér's V without its bias, Bergsma 2013, 0 to 1) between a gap and about
ten bins of up to 40 other columns, in synthetic and in training rows, with the jackknife interval of its difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered
from verisyn.kinds._regenerated import gone_feature
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._counts import Counts, blocks, mean_agreement, named, settle
from verisyn.metrics._stats import Z, jackknife, p_beyond
from verisyn.metrics._tables import BLOCKS, associations, left_out

title = "Are values missing as they are in real data?"
needs = ("frame", "features", "coarse")
best, worst = 1.0, 0.0
stand_in = "train"
floor = False
DEPENDS = 0.15
"""A gap that leans on another column this much more or less, on a scale from 0 to 1, would mislead who fills it in."""
rule = ("good: no rate, of gaps or of two gaps together, is a quarter more or a fifth less beyond chance; poor: one is "
        "none, or less than half or more than twice the real one, or the dependence of gaps on some column is off by "
        f"more than {DEPENDS}, beyond doubt; fair: otherwise")
references = ("https://doi.org/10.1016/j.jkss.2012.10.002",)
_LEAST, _TOGETHER, _LEANING, _OTHERS = 20, 40, 20, 40


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Compare where values are missing."""
    enough({"synthetic": sides.fake.rows, "training": sides.train.rows, "real": sides.holdout.rows}, 20)
    names = sides.train.frame.columns
    fake, train, holdout = (_gaps(side, names) for side in (sides.fake, sides.train, sides.holdout))
    real = np.vstack([train, holdout])
    scarce = real.mean(axis=0) > 0.5  # there, it is the values that are rare
    counts = [np.where(scarce, (~gaps).sum(axis=0), gaps.sum(axis=0)) for gaps in (fake, real)]
    if not (fake.any() or real.any()):
        raise NotAnswered("no value is missing, in real or in synthetic rows")
    kept = np.flatnonzero(counts[0] + counts[1] >= _LEAST)
    if not len(kept):
        raise NotAnswered(f"no column lacks {_LEAST} values or more")
    parts = [blocks(gaps[:, kept] ^ scarce[kept]) for gaps in (fake, holdout)]
    rows = [blocks(np.ones((len(gaps), 1), np.int64)) for gaps in (fake, holdout)]
    value, *without = mean_agreement(parts[0], rows[0], parts[1], rows[1])
    interval = jackknife(value, *without)
    if not sides.pictured:
        return Measure(value, interval)
    rates = [(f"{names[i]!r} {'there' if scarce[i] else 'missing'}", counts[0][i], len(fake), counts[1][i], len(real))
             for i in kept]
    tested = Counts.of([*rates, *_pairs(fake, real, names)])
    leaning = _leaning(sides, rng)
    return Measure(value, interval, {
        "columns_with_gaps": len(kept), "tests": len(tested.names) + len(leaning), **_settled(tested, leaning),
        "dependence": [{k: v for k, v in x.items() if not k.startswith("_")} for x in leaning[:10]],
        "items": tested.items(), "items_say": {"value": "share of synthetic rows", "reference": "share of real rows"}})


def _gaps(side: Side, names: list[str]) -> np.ndarray:
    """Which cells are missing: bool of shape (rows, columns)."""
    known = {f.name: f for f in side.features}
    return np.column_stack([np.isnan(known[n].values) if n in known else gone_feature(side.frame[n]).values > 0
                            for n in names]) if names else np.empty((side.rows, 0), bool)


def _pairs(fake: np.ndarray, real: np.ndarray, names: list[str]) -> list[tuple[str, int, int, int, int]]:
    """How often one column is missing, or there, where another that is missing less often is missing."""
    often = real.sum(axis=0)
    gappy = [i for i in np.argsort(-(often + fake.sum(axis=0)), kind="stable")[:_TOGETHER]
             if min(fake[:, i].sum(), often[i]) >= _LEAST]
    (fake_all, fake_both), (real_all, real_both) = (_both(gaps[:, gappy]) for gaps in (fake, real))
    found = []
    for a in range(len(gappy)):
        for b in range(len(gappy)):
            if a != b and (often[gappy[a]], a) <= (often[gappy[b]], b):
                together, with_fake = real_both[a, b], fake_both[a, b]
                word = "missing"
                if 2 * together > real_all[a]:
                    together, with_fake, word = real_all[a] - together, fake_all[a] - with_fake, "there"
                name = f"{names[gappy[b]]!r} {word} where {names[gappy[a]]!r} is missing"
                found.append((name, with_fake, fake_all[a], together, real_all[a]))
    return found


def _both(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each is missing, and each two together."""
    flags = gaps.astype(np.float32)
    return gaps.sum(axis=0), np.rint(flags.T @ flags).astype(np.int64)


def _leaning(sides: Sides, rng: np.random.Generator) -> list[dict[str, Any]]:
    """How strongly gaps depend on other columns in synthetic and in training rows, the most different first."""
    sides = sides.narrowed(rng, _OTHERS)
    gone = [np.column_stack([np.isnan(f.values) for f in side.features]) for side in (sides.fake, sides.train)]
    counts = [g.sum(axis=0) for g in gone]
    some = [i for i in np.argsort(-counts[1], kind="stable")
            if all(_LEAST <= c[i] <= len(g) - _LEAST for c, g in zip(counts, gone, strict=True))][:_LEANING]
    strengths = [[_strengths(side.coarse.values[:, j], [g[:, i] for i in some]) for j in range(g.shape[1])]
                 for side, g in zip((sides.fake, sides.train), gone, strict=True)]
    found, names = [], [f.name for f in sides.train.features]
    for at, i in enumerate(some):
        for j in range(len(names)):
            if i != j:
                found.append({"column": names[i], "on": names[j], **_apart(*(s[j][at] for s in strengths))})
    return sorted(found, key=lambda f: -abs(f["fake"] - f["real"]))


def _apart(fake: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """How far two strengths, on all rows and without each block, are apart: the jackknife interval, and chances."""
    off = float(fake[0] - real[0])
    variance = sum((BLOCKS - 1) / BLOCKS * float(((x[1:] - x[1:].mean()) ** 2).sum()) for x in (fake, real))
    size, half = abs(off), max(Z * variance**0.5, 1e-6)
    return {"fake": round(float(fake[0]), 4), "real": round(float(real[0]), 4),
            "interval": [round(off - half, 6), round(off + half, 6)],
            "_p": p_beyond(size, (size - half, size + half), DEPENDS),
            "_p_alike": min(1.0, 2 * p_beyond(size, (size - half, size + half), 0.0))}


def _strengths(codes: np.ndarray, gaps: list[np.ndarray]) -> list[np.ndarray]:
    """Cramér's V of each gap with a coarse column: on all rows, then without each block of rows."""
    bins = int(codes.max(initial=0)) + 1
    cell = (np.arange(len(codes)) % BLOCKS) * bins + codes

    def counted(rows: np.ndarray) -> np.ndarray:
        return np.bincount(cell[rows], minlength=BLOCKS * bins).reshape(BLOCKS, 1, bins)

    return [associations(left_out(np.hstack([counted(gap), counted(~gap)]))) for gap in gaps]


def _settled(tested: Counts, leaning: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict of all tests together, and those that gave it, in words."""
    found = settle(np.append(tested.p_poor, [x["_p"] for x in leaning]),
                   np.append(tested.p(1.0), [x["_p_alike"] for x in leaning]),
                   np.append(tested.off, [abs(x["fake"] - x["real"]) > DEPENDS / 2 for x in leaning]).astype(bool))
    told = [tested.told(i) if i < len(tested.names) else _leans(leaning[i - len(tested.names)]) for i in found.which]
    return {"_found": found.verdict, "_p": found.p, "_named": told[:10], "_differ": len(told)}


def _leans(x: dict[str, Any]) -> str:
    return (f"whether {x['column']!r} is missing depends on {x['on']!r} with strength {x['fake']:.2f} of 1, in real "
            f"rows with {x['real']:.2f}")


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the tests of rates, of pairs and of what gaps depend on; name those that differ."""
    d = measure.details
    columns, differ = d["columns_with_gaps"], d["_named"]
    which = "column with gaps has" if columns == 1 else f"{columns} columns with gaps have"
    said = f"The {which} as many of them as in real data to {measure.value:.1%}"
    said += f" (real rows reach {ceiling:.1%})" if ceiling is not None else ""
    said += f"; differing most: {named(differ, d['_differ'])}" if differ else "; nothing differs beyond chance"
    return Judged(d["_found"], said + ".", d["_p"])
