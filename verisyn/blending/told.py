"""What was found, in words and figures: the gap, the weights, the proportion, and what the blend is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.blending.gap import Gap
from verisyn.blending.judges import WORTH
from verisyn.blending.mixture import SOME, Mixture
from verisyn.blending.search import NONE, Gain, Mix, Search
from verisyn.blending.sources import LEAST, Part, Stock
from verisyn.findings import Finding, Verdict
from verisyn.metrics.fidelity.two_sample import FAIR, GOOD

_MOST_ITEMS = 40
_JUDGED = f"good: an AUC of at most {GOOD:.2f}; poor: above {FAIR:.2f} even at the low end of the interval; fair: otherwise"
_PAPERS = {"gap": ("https://arxiv.org/abs/1610.06545",), "weights": ("https://doi.org/10.1017/CBO9781139035613",),
           "proportion": ("https://doi.org/10.1023/A:1024068626366", "https://arxiv.org/abs/2601.16120")}


@dataclass(frozen=True)
class Found:
    """What the search said, and what was taken.

    Parameters
    ----------
    search : Search
    chosen : Mix
        What the blend is made of.
    fixed : bool
        Whether the proportion was given, not found.
    score : str
        What the score is called.
    leaky : tuple of str
        Synthetic sources that may have been made from the rows that tested them.
    rows : int
        Real rows that the search used.
    """

    search: Search
    chosen: Mix
    fixed: bool
    score: str
    leaky: tuple[str, ...]
    rows: int


def gap_finding(gaps: Sequence[Gap]) -> Finding:
    """Tell how far each source is from the real rows; the farthest is the value."""
    worst = max(gaps, key=lambda g: g.judge.value)
    low, high = worst.judge.interval()
    several = len(gaps) > 1
    items = [(d, g) for g in gaps for d in g.columns]
    items.sort(key=lambda t: -t[0].value)
    told = []
    for g in gaps:
        apart = list(dict.fromkeys(d.name for d in sorted(g.columns, key=lambda d: -d.value) if d.p <= 0.05))
        differ = f"{len(apart)} of {len({d.name for d in g.columns})} columns differ beyond chance"
        most = f", most of all {', '.join(map(repr, apart[:3]))}" if apart else ""
        told.append(f"A judge tells {g.part.what} from the real rows with an AUC of {_within(g.judge.value, g.judge.interval())} "
                    f"(a coin: 0.5); {differ}{most}.")
    return Finding(
        "blend.gap", "How far is each source from the real data?", _judged(worst.judge.value, low), " ".join(told), _JUDGED,
        round(worst.judge.value, 6), (round(low, 6), round(high, 6)), best=0.5, worst=1.0,
        details={"items": [_item(d, g, several) for d, g in items[:_MOST_ITEMS]],
                 "items_say": {"value": "largest difference of the shares of rows", "reference": "no difference"},
                 "columns": [{**p, "name": f"{p['name']} ({g.part.name})" if several else p["name"],
                              "value": round(1 - max(d.value for d in g.columns if d.name == p["name"]), 4)}
                             for g in gaps for p in g.pictures],
                 "sides": {"real": "real", "fake": "source" if several else worst.part.name},
                 "sources": [{"source": g.part.name, "kind": g.part.source.kind, "rows": g.part.frame.height,
                              "AUC": round(g.judge.value, 4), "low": round(g.judge.interval()[0], 4),
                              "high": round(g.judge.interval()[1], 4)} for g in gaps]},
        definition="Each column is compared by itself (Kolmogorov and Smirnov's test of numbers, Pearson's chi-square of levels "
        "and of missing values; p-values adjusted by Benjamini and Hochberg over the columns of a source), all together by a "
        "classifier's cross-validated AUC. Columns that a source lacks are left out of both.", references=_PAPERS["gap"])


def _item(d: Any, gap: Gap, several: bool) -> dict[str, Any]:
    name = f"{d.name}{' is missing' if d.what == 'missing' else ''}{f' ({gap.part.name})' if several else ''}"
    chance = "may be chance" if d.p > 0.05 else "beyond chance"
    return {"name": name, "value": round(d.value, 4), "reference": 0.0, "interval": [round(e, 4) for e in d.interval],
            "note": f"{d.test}, adjusted p {d.p:.2g}: {chance}"}


def _judged(value: float, low: float) -> Verdict:
    return "good" if value <= GOOD else "poor" if low > FAIR else "fair"


def _within(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


def weights_finding(gaps: Sequence[Gap]) -> Finding:
    """Tell what importance weights close of the gap, and what they cost in rows."""
    closed = [(g, g.closed) for g in gaps if g.closed is not None]
    title = "Do importance weights close the gap, on rows that they were not learnt from?"
    rule = f"{_JUDGED}, with weights; fair at best where they leave fewer than {LEAST} rows' worth"
    if not closed:
        return Finding("blend.weights", title, "not answered", "Not answered, because there are fewer than "
                       f"{2 * LEAST} rows of the real data or of each source.", rule, best=0.5, worst=1.0)
    worst, told = max(closed, key=lambda t: t[1].after.value)[1], [_weighed(g, c) for g, c in closed]
    low, high = worst.after.interval()
    verdict = _judged(worst.after.value, low)
    if verdict == "good" and any(c.effective < LEAST for _, c in closed):
        verdict = "fair"
    several = len(gaps) > 1
    columns = sorted(((g, *c) for g, found in closed for c in found.columns), key=lambda t: -t[2])
    lines = [{"title": f"{g.part.name}: distance of each column", "x": "columns, the farthest first", "y": "distance",
              "series": [{"name": name, "points": [{"x": i + 1, "y": round(v[at], 4)} for i, v in enumerate(
                  sorted(c.columns, key=lambda v: -v[1]))]} for at, name in ((1, "as they are"), (2, "weighted"))]}
             for g, c in closed]
    return Finding(
        "blend.weights", title, verdict, " ".join(told), rule, round(worst.after.value, 6), (round(low, 6), round(high, 6)),
        best=0.5, worst=1.0, details={
            "items": [{"name": f"{name} ({g.part.name})" if several else name, "value": round(after, 4),
                       "reference": round(before, 4)} for g, name, before, after in columns[:_MOST_ITEMS]],
            "items_say": {"value": "distance of the weighted rows", "reference": "distance of the rows as they are"},
            "lines": lines, "sources": [_source_row(g, c) for g, c in closed]},
        definition="The weight of a row is the ratio of the densities of real and source rows, read off a cross-fitted classifier "
        "that is calibrated on rows it did not see; the greatest hundredth of the weights is cut. Half of the rows teach the "
        "weights, the other half measures, and the other way round. The effective number of rows is Kish's.",
        references=_PAPERS["weights"])


def _weighed(gap: Gap, c: Any) -> str:
    told = (f"With weights, the judge's AUC for {gap.part.what} goes from {_within(c.before.value, c.before.interval())} to "
            f"{_within(c.after.value, c.after.interval())}; {c.rows:,} rows are then worth {c.effective:,.0f}.")
    if c.power < 1:
        told += (f" The whole ratio of densities would rest on fewer than {WORTH:.0%} of the rows, so its power of {c.power:.2f} was "
                 "taken: the source overlaps little with the real data.")
    if c.effective < LEAST:
        told += " That is few: what is learnt from the weighted rows rests on little."
    return told


def _source_row(gap: Gap, c: Any) -> dict[str, Any]:
    return {"source": gap.part.name, "AUC as they are": round(c.before.value, 4), "AUC weighted": round(c.after.value, 4),
            "rows": c.rows, "effective rows": round(c.effective, 1), "power of the ratio": round(c.power, 3)}


def proportion_finding(found: Found, parts: Sequence[Part]) -> Finding:
    """Tell which proportion was found, and what the choice is worth on rows that nothing was chosen by."""
    search, gain = found.search, found.search.nested
    worst = max((search.gain(i).interval[1] for i in range(1, len(search.mixes))), default=0.0)
    verdict: Verdict = "good" if gain.sure else "poor" if (gain.interval[1] < 0 if found.fixed else worst < 0) else "fair"
    reason = _reason(found, parts, gain)
    if found.leaky and verdict == "good":
        verdict = "fair"
    return Finding(
        "blend.proportion", "How many synthetic or open rows should be added?", verdict, reason,
        "good: the gain over real rows alone lies above 0 with its whole 95 % interval, on rows that nothing was chosen by, and "
        "no generator saw them; poor: every mix that was tried (or the one that was asked for) loses beyond chance; fair: "
        "otherwise; nothing is then added, unless the proportion was given",
        round(gain.value, 6), (round(gain.interval[0], 6), round(gain.interval[1], 6)), details=_scores(found, parts),
        definition="Nested cross-validation on real rows: inner folds choose the mix, the outer fold scores the choice beside "
        "real rows alone; paired differences, Student's t corrected for folds that share rows (Nadeau and Bengio 2003). A "
        "proportion is the mass of added rows for each real one. "
        + ("The score is the mean log-likelihood, in nats a row, under a generator learnt from the blend."
           if found.score == "log-likelihood" else
           f"The score is the {found.score} of the mean of two models, gradient boosting and a linear one."),
        references=_PAPERS["proportion"])


def _reason(found: Found, parts: Sequence[Part], gain: Gain) -> str:
    search, chosen = found.search, found.chosen
    real = f"{search.scores[:, 0].mean():.3f}"
    within = f"{gain.value:+.4f} ({gain.interval[0]:+.4f} to {gain.interval[1]:+.4f})"
    if found.fixed:
        told = f"The proportion {chosen.proportion:g} was given. On unseen real rows it changes the {found.score}, {real} with real rows alone, by {within}"
        told += ": more than chance." if gain.sure or gain.interval[1] < 0 else ", which may be chance."
    elif chosen != NONE:
        told = (f"Add {_mix(chosen, parts)}: choosing so gains {within} in {found.score} over real rows alone ({real}), on real rows "
                "that nothing was chosen by.")
    elif gain.sure:
        told = f"Add nothing: no single mix has a higher mean {found.score} than real rows alone ({real})."
    else:
        best = search.mixes[search.best]
        tried = f"{_mix(best, parts)} has a" if best != NONE else "no mix that was tried has a"
        told = (f"Use no synthetic or open rows: no gain is shown. Choosing the proportion by inner folds changes the "
                f"{found.score}, {real} with real rows alone, by {within} on real rows that nothing was chosen by; "
                f"{tried} higher mean.")
    if found.leaky:
        told += (f" Gains may be inflated: {', '.join(map(repr, found.leaky))} may have been made from the rows that test it. Give "
                 "the model or its generator, so that it is fitted anew without them, or real rows that it never saw as "
                 "validation data.")
    return told


def _mix(mix: Mix, parts: Sequence[Part]) -> str:
    names = " and ".join(repr(parts[i].name) for i in mix.sources)
    return f"{mix.proportion:g} row{'' if mix.proportion == 1 else 's'} of {names} for each real one"


def _scores(found: Found, parts: Sequence[Part]) -> dict[str, Any]:
    search = found.search
    base = float(search.scores[:, 0].mean())
    series: dict[tuple[int, ...], list[dict[str, float]]] = {}
    for i, mix in enumerate(search.mixes[1:], start=1):
        g = search.gain(i)
        first = [{"x": 0.0, "y": round(base, 5), "low": round(base, 5), "high": round(base, 5)}]
        series.setdefault(mix.sources, first).append({
            "x": mix.proportion, "y": round(base + g.value, 5), "low": round(base + g.interval[0], 5),
            "high": round(base + g.interval[1], 5)})
    named = [{"name": " + ".join(parts[i].name for i in sources), "points": points} for sources, points in series.items()]
    return {"lines": [{"title": f"{found.score} on unseen real rows; the bands are those of the difference to real rows alone",
                       "x": "rows added for each real row", "y": found.score, "series": named}],
            "score": found.score, "score_real_only": round(base, 6), "proportion": found.chosen.proportion,
            "chosen_by_fold": [{"fold": k + 1, "mix": _mix(m, parts) if m != NONE else "none",
                                "gain": round(float(search.scores[k, c] - search.scores[k, 0]), 5)}
                               for k, (c, m) in enumerate((int(c), search.mixes[c]) for c in search.chosen)],
            "real_rows_used": found.rows}


def mixture_finding(mixture: Mixture, stock: Stock) -> Finding:
    """Tell what the blend is made of, and what to beware of."""
    p = mixture.provenance
    unknown = [s.name for s in p.sources if s.kind == "open" and not s.licence]
    share, warnings = p.synthetic_share, []
    if share > SOME:
        warnings.append(f"{share:.0%} of its rows are synthetic: a model learnt from it learns mostly what a generator believes, "
                        "and models of such models collapse.")
    if unknown:
        warnings.append(f"The licence of {', '.join(map(repr, unknown))} is not known.")
    masses = [float(w.sum()) for w in _split(mixture)]
    made = ", ".join(f"{s.rows:,} {s.kind} ({s.name!r})" for s in p.sources)
    return Finding(
        "blend.mixture", "What is the blend made of?", "poor" if share > SOME else "fair" if unknown else "good",
        " ".join([f"{p.rows:,} rows: {made}; the highest generation is {p.generation}.", *warnings]),
        f"good: at most {SOME:.0%} synthetic rows, every licence known; poor: more synthetic rows than that; fair: otherwise",
        round(share, 6), best=0.0, worst=1.0, details={"sources": [
            {"source": s.name, "kind": s.kind, "rows": s.rows, "weight": round(m, 1), "generator": s.generator,
             "generation": s.generation, "licence": s.licence or "not known"}
            for s, m in zip(p.sources, masses, strict=True)], "real_rows": stock.real.height},
        definition="The share of rows that are synthetic, and each source with its licence. Generation 0 is real; 1 was made by a "
        "generator fitted to real rows; each further one by a generator fitted to the one before.")


def _split(mixture: Mixture) -> list[Any]:
    import numpy as np

    return np.split(mixture.weights, np.cumsum([s.rows for s in mixture.provenance.sources])[:-1])
