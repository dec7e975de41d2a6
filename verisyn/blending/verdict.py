"""What the search for a proportion found, in words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.blending.gains import Gain
from verisyn.blending.search import Search
from verisyn.blending.sources import Part
from verisyn.blending.taking import NONE, Mix
from verisyn.findings import Finding, Verdict

_RULE = ("good: the gain over real rows alone lies above 0 with its whole 95 % interval, on rows that nothing was "
         "chosen by, and no generator may have seen them; poor: every mix that was tried (or the one that was asked "
         "for) loses beyond chance; fair: otherwise. Nothing is added without such a gain, unless the proportion was "
         "given")


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

    @property
    def inflated(self) -> str:
        """Why a gain may be too good to be true; empty where it is not."""
        if not self.leaky:
            return ""
        names = " and ".join(map(repr, self.leaky))
        seen = f"{names} may have been made from the real rows that test {'it' if len(self.leaky) == 1 else 'them'}"
        do = ("Give the model or its generator (model=, generator=), so that it is fitted anew without them, or real "
              "rows that it never saw (validation=).")
        at = self.search.flattered
        if self.fixed or at is None:
            return f"Its gain may be inflated: {seen}. {do}"
        return (f"What was measured with {names} ({_said(self.search.gain(at))} at best) may be inflated and was not "
                f"acted on: {seen}. {do} Or take a proportion of your own choice.")


def proportion_finding(found: Found, parts: Sequence[Part]) -> Finding:
    """Tell which proportion was found, and what the choice is worth on rows that nothing was chosen by."""
    search, gain = found.search, found.search.nested
    sound = [i for i in range(1, len(search.mixes)) if search.sound[i]]
    least = [gain] if found.fixed or not sound else [search.gain(i) for i in sound]
    verdict: Verdict = "good" if gain.sure else "poor" if all(g.interval[1] < 0 for g in least) else "fair"
    if found.leaky and verdict == "good":
        verdict = "fair"
    reason = _given(found, gain) if found.fixed else _chosen(found, parts, gain)
    low, high = gain.interval
    return Finding(
        "blend.proportion", "How many synthetic or open rows should be added?", verdict,
        f"{reason} {found.inflated}".strip(), _RULE, round(gain.value, 6), (round(low, 6), round(high, 6)),
        details=_details(found, parts), definition=_definition(found.score),
        references=("https://papers.nips.cc/paper/2020/hash/bce9abf229ffd7e570818476ee5d7dde-Abstract.html",
                    "https://doi.org/10.1023/A:1024068626366", "https://arxiv.org/abs/2601.16120"))


def _definition(score: str) -> str:
    told = f"the {score} of the mean of two models, gradient boosting and a linear one"
    if score == "log-likelihood":
        told = "the mean log-likelihood, in nats a row, under a generator learnt from the blend"
    return ("Nested cross-validation on real rows: inner folds choose the mix, the outer fold scores the choice beside "
            f"real rows alone. The score is {told}. A proportion is the mass of added rows for each real one. The "
            "interval is that of the test rows, for the models as they were learnt (Bayle, Bayle, Janson and Mackey "
            "2020); the details tell the wider one that also asks what other training rows would have given (Nadeau "
            "and Bengio 2003).")


def _said(gain: Gain) -> str:
    return "{:+.4f} ({:+.4f} to {:+.4f})".format(gain.value, *gain.interval)


def _given(found: Found, gain: Gain) -> str:
    sure = ": more than chance" if gain.sure or gain.interval[1] < 0 else ", which may be chance"
    return (f"The proportion {found.chosen.proportion:g} was given. On unseen real rows it changes the {found.score}, "
            f"{found.search.base:.3f} with real rows alone, by {_said(gain)}{sure}.")


def _chosen(found: Found, parts: Sequence[Part], gain: Gain) -> str:
    search, alone = found.search, f"{found.search.base:.3f}"
    if found.chosen != NONE:
        last = " It is the most that was tried; more may be better." if found.chosen.proportion == max(
            m.proportion for m in search.mixes) else ""
        return (f"Add {told(found.chosen, parts)}: choosing so gains {_said(gain)} in {found.score} over real rows "
                f"alone ({alone}), on real rows that nothing was chosen by.{last}")
    if gain.sure:
        return f"Add nothing: no mix has a higher mean {found.score} over all folds than real rows alone ({alone})."
    if not search.sound[1:].any():
        return f"Nothing was added: no gain over real rows alone ({found.score} {alone}) could be shown."
    best = search.mixes[search.best]
    tried = f"{told(best, parts)} has a" if best != NONE else "no mix that was tried has a"
    return ("Use no synthetic or open rows: no gain is shown. Choosing the proportion by inner folds changes the "
            f"{found.score}, {alone} with real rows alone, by {_said(gain)} on real rows that nothing was chosen by; "
            f"{tried} higher mean.")


def told(mix: Mix, parts: Sequence[Part]) -> str:
    """Return a mix in words."""
    names = " and ".join(repr(parts[i].name) for i in mix.sources)
    return f"{mix.proportion:g} row{'' if mix.proportion == 1 else 's'} of {names} for each real one"


def _details(found: Found, parts: Sequence[Part]) -> dict[str, Any]:
    search = found.search
    wide = search.corrected.interval
    return {
        "lines": [{"title": f"{found.score} on unseen real rows; bands: 95 % of the difference to real rows alone",
                   "x": "rows added for each real row", "y": found.score, "series": _series(search, parts)}],
        "score": found.score, "score_of_real_rows_alone": round(search.base, 6), "proportion": found.chosen.proportion,
        "gain_over_other_training_rows_low": round(wide[0], 6), "gain_over_other_training_rows_high": round(wide[1], 6),
        "real_rows_used": found.rows,
        "chosen_by_fold": [{"fold": k + 1, "mix": told(search.mixes[c], parts) if c else "none",
                            "gain": round(float(search.scores[k, c] - search.scores[k, 0]), 5)}
                           for k, c in enumerate(search.chosen.tolist())]}


def _series(search: Search, parts: Sequence[Part]) -> list[dict[str, Any]]:
    base = round(search.base, 5)
    points: dict[tuple[int, ...], list[dict[str, float]]] = {}
    for i, mix in enumerate(search.mixes[1:], start=1):
        gain = search.gain(i)
        y, low, high = (round(search.base + g, 5) for g in (gain.value, *gain.interval))
        series = points.setdefault(mix.sources, [{"x": 0.0, "y": base, "low": base, "high": base}])
        series.append({"x": mix.proportion, "y": y, "low": low, "high": high})
    return [{"name": " + ".join(parts[i].name for i in sources), "points": p} for sources, p in points.items()]
