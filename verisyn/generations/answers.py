"""What was measured of all generations, as findings: one a question, and the smallest real share that keeps all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from verisyn.findings import Finding, Verdict
from verisyn.generations.chain import Measured
from verisyn.generations.measures import KINDS
from verisyn.generations.plan import SAID, Track
from verisyn.generations.slopes import WORSE, Slope, State, points, slope

QUESTIONS = {
    "c2st": ("Does a trained judge tell each generation from real rows more easily?", ("c2st",)),
    "tails": ("Do the generations keep the tails?", ("tails",)),
    "diversity": ("Do the generations keep rare levels, and reach all kinds of real row?", ("coverage", "rare")),
    "utility": ("Do models learnt from each generation stay as good on real rows?", ("utility",)),
    "marginals": ("Do columns, and pairs of columns, stay alike?", ("marginals", "pairs")),
}
GOOD, FAIR = 0.25, 0.5
REFERENCES = ("https://doi.org/10.1038/s41586-024-07566-y", "https://arxiv.org/abs/2307.01850",
              "https://arxiv.org/abs/2404.01413", "https://arxiv.org/abs/2410.16713")
_RULE = ("good: no regime's change per generation exceeds its budget, over the whole 95 % interval; poor: every "
         "regime's does, over the whole interval; fair: otherwise")
_SHARE_RULE = (f"good: real rows of {GOOD:.0%} or less keep every measure within its budget, over the whole 95 % "
               f"interval; fair: {FAIR:.0%} or less; poor: more, or even the largest share tried loses beyond doubt; "
               "not answered: otherwise")
_DEFINITION = """Generations of a generator, each learnt from rows that earlier ones made, are held against real rows
that none of them saw (Shumailov et al. 2024; Alemohammad et al. 2024). 'replace' learns from the last generation's rows
alone; 'accumulate' from the real rows and all generations so far (Gerstgrasser et al. 2024); 'budget' from as many rows
as there are real ones, drawn from that pool (Kazdan et al. 2024); '25 % real' from a mix of a quarter real rows, drawn
anew each time, and the last generation's. The columns' codes are learnt anew in each generation. The interval is
Student's over independent repetitions, each with a split and seeds of its own, of the slope of least squares over
generations."""

_SAY = {"title": "Change per generation", "lead": "The slope of least squares over the generations of each repetition.",
        "value": "change per generation", "reference": "the most that counts as stable"}

Results = Mapping[Track, Sequence[Measured]]


def findings(results: Results, real: Sequence[Measured], reasons: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return a finding for each question, and that of the real share where shares were tried."""
    told = {name: {track: slope(np.stack([m[name] for m in found])) for track, found in results.items()}
            for name in KINDS}
    asked = [_question(name, told, results, real, reasons) for name in QUESTIONS]
    tried = any(track.share is not None for track in results)
    return (*asked, *([_share(told, results, reasons)] if tried else []))


def _question(name: str, told: Mapping[str, dict[Track, Slope | None]], results: Results, real: Sequence[Measured],
              reasons: Mapping[str, str]) -> Finding:
    title, kinds = QUESTIONS[name]
    known = {k: {track: s for track, s in told[k].items() if s} for k in kinds}
    kinds = tuple(k for k in kinds if known[k])
    about: dict[str, Any] = {"name": f"collapse.{name}", "title": title, "rule": _RULE, "definition": _DEFINITION,
                             "references": REFERENCES}
    if not kinds:
        why = next((reasons[k] for k in QUESTIONS[name][1] if k in reasons), "nothing could be measured")
        return Finding(verdict="not answered", reason=f"Not answered, because {why}.", **about)
    main, kind = known[kinds[0]], KINDS[kinds[0]]
    judged = [track for track in main if track.share is None] or [*main]
    states = [worst(kinds, known, track, reasons) for track in judged]
    verdict: Verdict = "good" if set(states) == {"keeps"} else "poor" if set(states) == {"loses"} else "fair"
    first = main[judged[0]]
    said = f"{_in_short(judged, states)} {_reason(kinds, known, judged)}"
    return Finding(verdict=verdict, reason=said, value=round(first.value, 6),
                   interval=_rounded(first.interval), best=0.0, worst=kind.worse * 10 * kind.budget,
                   details={"value_says": f"a generation, {SAID.get(judged[0].name, f'with {judged[0].label} rows')}",
                            "lines": [line for k in kinds for line in _lines(k, results, real)],
                            "items": _items(kinds, known), "items_say": _SAY},
                   **about)


def worst(kinds: Sequence[str], known: Mapping[str, Mapping[Track, Slope | None]], track: Track,
          reasons: Mapping[str, str]) -> State:
    """Return the worst that any of the measures says of a track; what was not measured says nothing.

    A track with a generation that could not be learnt any more loses, whatever was measured before.
    """
    if track.label in reasons:
        return "loses"
    states = [s.state(KINDS[k]) for k in kinds if (s := known[k].get(track))]
    return max(states, key=WORSE.index, default="unsure")


def _in_short(judged: Sequence[Track], states: Sequence[State]) -> str:
    """Return what becomes of each regime, before the figures."""
    heads: dict[State, str] = {"keeps": "Stable", "loses": "Loses", "unsure": "Cannot be told yet"}
    told = {head: [t.label for t, s in zip(judged, states, strict=True) if s == state] for state, head in heads.items()}
    return " ".join(f"{head}: {', '.join(labels)}." for head, labels in told.items() if labels)


def _reason(kinds: Sequence[str], known: Mapping[str, Mapping[Track, Slope]], judged: Sequence[Track]) -> str:
    def one(k: str) -> str:
        kind, slopes = KINDS[k], {t: known[k][t] for t in judged if t in known[k]}
        each = ", ".join(f"{s.said} {SAID.get(t.name, f'with {t.label} rows')}" for t, s in slopes.items())
        first = next(iter(slopes.values())).first
        most = f"{'up' if kind.worse > 0 else 'down'} to {kind.worse * kind.budget:+.3f}"
        return f"{_capital(kind.title)} goes from {first:.3f} {each}; {most} is stable."

    return " ".join(map(one, kinds))


def _lines(name: str, results: Results, real: Sequence[Measured]) -> Iterator[dict[str, Any]]:
    """Yield a line chart of the regimes, and one of the real shares: together they would be a tangle."""
    title = KINDS[name].title
    for shares in (False, True):
        told = {track.label: found for track, found in results.items() if (track.share is not None) == shares}
        sides = {**told, "real rows": real} if told else {}
        series = [{"name": s, "points": points(np.stack([m[name] for m in found]))} for s, found in sides.items()]
        if drawn := [s for s in series if s["points"]]:
            yield {"title": f"{_capital(title)}: {'real shares' if shares else 'regimes'}", "x": "generation",
                   "y": title, "series": drawn}


def _items(kinds: Sequence[str], known: Mapping[str, Mapping[Track, Slope]]) -> list[dict[str, Any]]:
    return [{"name": f"{track.label}: {KINDS[k].short}" if len(kinds) > 1 else track.label,
             "value": round(s.value, 6), "reference": round(KINDS[k].worse * KINDS[k].budget, 6),
             "interval": list(_rounded(s.interval)), "note": f"{s.first:.3f} to {s.last:.3f}; {s.state(KINDS[k])}"}
            for k in kinds for track, s in known[k].items()]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 6), round(interval[1], 6)


# -- the smallest real share ------------------------------------------------------------------------------------------
def _share(told: Mapping[str, Mapping[Track, Slope | None]], results: Results, reasons: Mapping[str, str]) -> Finding:
    tried = sorted(((t.share or 0.0, t) for t in results if t.share is not None or t.name == "replace"),
                   key=lambda pair: pair[0])
    states = {share: worst([*KINDS], told, track, reasons) for share, track in tried}
    each = {share: {k: s.state(KINDS[k]) for k in KINDS if (s := told[k].get(track))} for share, track in tried}
    stable = [share for share in states if all(states[s] == "keeps" for s in states if s >= share)]
    lost = max((share for share in states if states[share] == "loses"), default=0.0)
    value = min(stable, default=None)
    largest = states[max(states)]
    verdict: Verdict = ("good" if value <= GOOD else "fair" if value <= FAIR else "poor") if value is not None else (
        "poor" if largest == "loses" else "not answered")
    rows = [{"real share": f"{100 * share:g} %", "state": states[share],
             "loses": _named(each[share], "loses") or "nothing", "may lose": _named(each[share], "unsure") or "nothing"}
            for share in states]
    interval = None if value is None else (min(lost, value), value)
    return Finding(
        "collapse.share", "Which share of real rows keeps the generations stable?", verdict,
        _share_reason(value, lost, each) + _left_out(each), _SHARE_RULE, value, interval,
        details={"shares": rows}, best=0.0, worst=1.0, references=REFERENCES,
        definition=f"{_DEFINITION} A share is stable where every measure stays within its budget per generation at the "
                   "far end of its interval, for it and every larger share tried; each is called so wrongly with a "
                   "chance of 2.5 % at most. The interval runs from the largest share that loses beyond doubt.")


def _share_reason(value: float | None, lost: float, each: Mapping[float, Mapping[str, State]]) -> str:
    said = ", ".join(f"{100 * s:g} %" for s in each)
    if value is None:
        return (f"None of the shares tried ({said}) keeps every measure within its budget for sure: "
                f"{_broken(max(each), each)}. More repetitions or rows would tell more.")
    below = [s for s in each if s < value]
    why = f" Not so less: {_broken(max(below), each)}." if below else " That is the smallest tried."
    sure = f" Up to {100 * lost:g} % is too little beyond doubt." if lost and below else ""
    return f"Of the shares tried ({said}), {100 * value:g} % real rows in each generation are enough.{why}{sure}"


def _left_out(each: Mapping[float, Mapping[str, State]]) -> str:
    missing = [kind.short for k, kind in KINDS.items() if not all(k in states for states in each.values())]
    return f" Left out, because it could not be measured: {', '.join(missing)}." if missing else ""


def _broken(share: float, each: Mapping[float, Mapping[str, State]]) -> str:
    surely, perhaps = (_named(each[share], state) for state in ("loses", "unsure"))
    parts = [f"too much is lost beyond doubt of {surely}" if surely else "", f"too much may be lost of {perhaps}"
             if perhaps else ""]
    return f"with {100 * share:g} %, {' and '.join(filter(None, parts)) or 'a smaller share did better by chance'}"


def _named(states: Mapping[str, State], state: State) -> str:
    return ", ".join(KINDS[k].short for k, s in states.items() if s == state)
