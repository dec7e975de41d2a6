"""What was found, in words and figures: the gap, the weights, and what the blend is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from verisyn.blending.distances import Distance
from verisyn.blending.gap import Closed, Gap
from verisyn.blending.judges import WORTH
from verisyn.blending.mixture import SOME, Mixture
from verisyn.blending.sources import LEAST
from verisyn.findings import Finding, Verdict
from verisyn.metrics._apart import FAIR, GOOD
from verisyn.metrics._stats import Influence

_MOST_ITEMS = 40
_CHANCE = 0.05
_JUDGED = (f"good: an AUC of at most {GOOD:.2f}; poor: above {FAIR:.2f} even at the low end of the interval; fair: "
           "otherwise")
_GAP = ("Each column is compared by itself (Kolmogorov and Smirnov's test of numbers, Pearson's chi-square of levels "
        "and of missing values; p-values adjusted by Benjamini and Hochberg over the columns of a source), all "
        "together by a classifier's cross-validated AUC. Columns that a source lacks are left out of both.")
_WEIGHTS = ("The weight of a row is the ratio of the densities of real and source rows, read off a cross-fitted "
            "classifier that is calibrated on rows it did not see; the greatest hundredth of the weights is cut, and "
            f"where the ratio would leave less than {WORTH:.0%} of the rows' worth, the power of it is taken that "
            "leaves so many. Half of the rows teach the weights, the other half measures, and the other way round. "
            "What rows are worth is Kish's effective number.")
_MIXTURE = ("The share of rows that are synthetic, and each source with its licence. Generation 0 is real; 1 was made "
            "by a generator fitted to real rows; each further one by a generator fitted to the one before.")


def gap_finding(gaps: Sequence[Gap]) -> Finding:
    """Tell how far each source is from the real rows; the farthest is the value."""
    worst = max(gaps, key=lambda g: g.judge.value).judge
    several = len(gaps) > 1
    items = sorted(((d, g) for g in gaps for d in g.columns), key=lambda t: -t[0].value)
    return Finding(
        "blend.gap", "How far is each source from the real data?", _judged(worst), " ".join(map(_apart, gaps)), _JUDGED,
        **_value(worst), details={
            "items": [_item(d, _named(d.name, g, several)) for d, g in items[:_MOST_ITEMS]],
            "items_say": {"value": "largest difference of shares of rows", "reference": "none"},
            "columns": [{**p, "name": _named(p["name"], g, several), "value": _alike(p["name"], g)}
                        for g in gaps for p in g.pictures],
            "sides": {"real": "real", "fake": "source" if several else gaps[0].part.name},
            "sources": [{"source": g.part.name, "kind": g.part.source.kind, "rows": g.part.frame.height,
                         **_figures("AUC", g.judge)} for g in gaps]},
        definition=_GAP, references=("https://arxiv.org/abs/1610.06545",))


def _apart(gap: Gap) -> str:
    found = dict.fromkeys(d.name for d in sorted(gap.columns, key=lambda d: -d.value) if d.p <= _CHANCE)
    most = f", most of all {', '.join(map(repr, list(found)[:3]))}" if found else ""
    return (f"A judge tells {gap.part.what} from the real rows with an AUC of {_within(gap.judge)} (a coin: 0.5); "
            f"{len(found)} of {len({d.name for d in gap.columns})} columns differ beyond chance{most}.")


def _named(name: str, gap: Gap, several: bool) -> str:
    return f"{name} ({gap.part.name})" if several else name


def _alike(name: str, gap: Gap) -> float:
    return round(1 - max(d.value for d in gap.columns if d.name == name), 4)


def _item(d: Distance, name: str) -> dict[str, Any]:
    chance = "may be chance" if d.p > _CHANCE else "beyond chance"
    return {"name": f"{name} is missing" if d.what == "missing" else name, "value": round(d.value, 4), "reference": 0.0,
            "interval": [round(e, 4) for e in d.interval], "note": f"{d.test}, adjusted p {d.p:.2g}: {chance}"}


def _judged(found: Influence) -> Verdict:
    return "good" if found.value <= GOOD else "poor" if found.interval()[0] > FAIR else "fair"


def _value(found: Influence) -> dict[str, Any]:
    low, high = found.interval()
    return {"value": round(found.value, 6), "interval": (round(low, 6), round(high, 6)), "best": 0.5, "worst": 1.0}


def _figures(name: str, found: Influence) -> dict[str, float]:
    low, high = found.interval()
    return {name: round(found.value, 4), "low": round(low, 4), "high": round(high, 4)}


def _within(found: Influence) -> str:
    return "{:.3f} ({:.3f} to {:.3f})".format(found.value, *found.interval())


def weights_finding(gaps: Sequence[Gap]) -> Finding:
    """Tell what importance weights close of the gap, and what they cost in rows."""
    closed = [(g, g.closed) for g in gaps if g.closed is not None]
    title = "Do importance weights close the gap, on rows that they were not learnt from?"
    rule = f"{_JUDGED}, with weights; fair at best where they leave fewer than {LEAST} rows' worth"
    if not closed:
        return Finding("blend.weights", title, "not answered", f"Not answered, because there are fewer than "
                       f"{2 * LEAST} real rows, or rows of each source.", rule, best=0.5, worst=1.0)
    worst = max((c.after for _, c in closed), key=lambda a: a.value)
    verdict = _judged(worst)
    if verdict == "good" and any(c.effective < LEAST for _, c in closed):
        verdict = "fair"
    columns = sorted(((*c, g) for g, found in closed for c in found.columns), key=lambda t: -t[1])
    return Finding(
        "blend.weights", title, verdict, " ".join(_weighed(g, c) for g, c in closed), rule, **_value(worst), details={
            "items": [{"name": _named(name, g, len(gaps) > 1), "value": round(after, 4), "reference": round(before, 4)}
                      for name, before, after, g in columns[:_MOST_ITEMS]],
            "items_say": {"value": "distance of the weighted rows", "reference": "as they are"},
            "lines": [_lines(g, c) for g, c in closed],
            "sources": [{"source": g.part.name, "AUC as they are": round(c.before.value, 4),
                         "AUC weighted": round(c.after.value, 4), "rows": c.rows, "worth": round(c.effective, 1),
                         "power of the ratio": round(c.power, 3)} for g, c in closed]},
        definition=_WEIGHTS, references=("https://doi.org/10.1017/CBO9781139035613",
                                         "https://doi.org/10.1016/S0378-3758(00)00115-4"))


def _weighed(gap: Gap, c: Closed) -> str:
    told = (f"With weights, the judge's AUC for {gap.part.what} goes from {_within(c.before)} to {_within(c.after)}; "
            f"{c.rows:,} rows are then worth {c.effective:,.0f}.")
    if c.power < 1:
        told += (f" The whole ratio of densities would rest on fewer than {WORTH:.0%} of the rows, so its power of "
                 f"{c.power:.2f} was taken: the source overlaps little with the real data.")
    if c.effective < LEAST:
        told += " That is few: what is learnt from the weighted rows rests on little."
    return told


def _lines(gap: Gap, c: Closed) -> dict[str, Any]:
    """Each column's distance before and after, the farthest first."""
    ordered = sorted(c.columns, key=lambda v: -v[1])
    series = [{"name": name, "points": [{"x": i, "y": round(float(v[at]), 4)} for i, v in enumerate(ordered, start=1)]}
              for at, name in ((1, "as they are"), (2, "weighted"))]
    return {"title": f"{gap.part.name}: the distance of each column to the real rows", "y": "distance",
            "x": "columns, the farthest first", "series": series}


def mixture_finding(mixture: Mixture) -> Finding:
    """Tell what the blend is made of, and what to beware of."""
    p = mixture.provenance
    unknown = [s.name for s in p.sources if s.kind == "open" and not s.licence]
    share, warnings = p.synthetic_share, []
    if share > SOME:
        warnings.append(f"{share:.0%} of its rows are synthetic: a model learnt from it learns mostly what a generator "
                        "believes, and models of such models collapse.")
    if unknown:
        warnings.append(f"The licence of {', '.join(map(repr, unknown))} is not known.")
    masses = [float(w.sum()) for w in np.split(mixture.weights, np.cumsum([s.rows for s in p.sources])[:-1])]
    made = ", ".join(f"{s.rows:,} {s.kind} ({s.name!r})" for s in p.sources)
    return Finding(
        "blend.mixture", "What is the blend made of?", "poor" if share > SOME else "fair" if unknown else "good",
        " ".join([f"{p.rows:,} rows: {made}; the highest generation is {p.generation}.", *warnings]),
        f"good: at most {SOME:.0%} synthetic rows, every licence known; poor: more synthetic rows; fair: otherwise",
        round(share, 6), best=0.0, worst=1.0, definition=_MIXTURE, details={"sources": [
            {"source": s.name, "kind": s.kind, "rows": s.rows, "weight": round(m, 1), "generator": s.generator or "-",
             "generation": s.generation, "licence": s.licence or "not known"}
            for s, m in zip(p.sources, masses, strict=True)]})
