"""An estimate told: sentences, a finding with its pictures, JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from verisyn.findings import Assessment, Finding, Verdict

if TYPE_CHECKING:
    from verisyn.inference._estimate import Estimate
    from verisyn.inference._powered import Figure

GAIN = 1.05
"""From here on a gain is told: predictions that are worth at least a twentieth more labelled rows."""
USUAL = 0.05
RULE = (f"good: valid, and the predictions are worth at least {GAIN - 1:.0%} more labelled rows (of a regression, in "
        "the middle of its coefficients); fair: valid, but no narrower than the labelled rows alone make it; poor: the "
        "rows contradict what the intervals rest on")
REFERENCES = ("https://doi.org/10.1126/science.adi6000", "https://arxiv.org/abs/2311.01453",
              "https://arxiv.org/abs/2309.16598", "https://doi.org/10.1111/1467-9868.00243",
              "https://arxiv.org/abs/2411.19908")
DEFINITION = (
    "The estimate from the rows that hold the outcome (labelled rows) is moved by a weight times the gap between two "
    "estimates of predicted outcomes: from those same rows, and from the rows that lack the outcome. The gap is zero "
    "on average where labelled rows are a random sample of all, so bad predictions cannot bias it, and the weight "
    "makes the variance least (prediction-powered inference). Synthetic rows enter through the predictor only.")
NAIVE = "The interval that counts synthetic or predicted rows as real ones is not valid; it stands there for contrast."


def number(value: float) -> str:
    """Return a number with about four significant digits and no needless zeros.

    Examples
    --------
    >>> number(0.25), number(51234.6), number(1.23456), number(-2.5e-7)
    ('0.25', '51,235', '1.235', '-2.5e-07')
    """
    if not math.isfinite(value):
        return str(value)
    if 0 < abs(value) < 1e-4:
        return f"{value:.3g}"
    digits = 3 - math.floor(math.log10(abs(value))) if value else 0
    told = f"{value:,.{min(max(digits, 0), 4)}f}"
    return told.rstrip("0").rstrip(".") if "." in told else told


def span(interval: tuple[float, float]) -> str:
    """Return an interval in words."""
    return f"{number(interval[0])} to {number(interval[1])}"


def middle_gain(estimate: Estimate) -> float:
    """Return the gain of the figure, or the median over coefficients beside the intercept."""
    told = [f.gain for f in estimate.figures if f.name != "intercept"] or [f.gain for f in estimate.figures]
    return float(np.median(told))


def reason(estimate: Estimate) -> str:
    """Return the answer in a few sentences, what speaks against it last."""
    sentences = [_answer(estimate), _gained(estimate) if estimate.predictor else estimate.why]
    return " ".join([*(s for s in sentences if s), *estimate.cautions])


def _answer(estimate: Estimate) -> str:
    level = f"{100 * (1 - estimate.alpha):g} % interval"
    rows = f"the {estimate.labelled:,} real rows that hold the outcome"
    if len(estimate.figures) > 1:
        return f"{estimate.asked[0].upper()}{estimate.asked[1:]} has {len(estimate.figures)} coefficients, from {rows}."
    figure = estimate.figures[0]
    said = f"{figure.name[0].upper()}{figure.name[1:]} is {number(figure.value)} ({level} {span(figure.interval)})"
    if not estimate.predictor:
        return f"{said}, from {rows} alone."
    return f"{said}; from {rows} alone it would be {number(figure.classical)} ({span(figure.classical_interval)})."


def _gained(estimate: Estimate) -> str:
    gain = middle_gain(estimate)
    who = f"The outcome of {estimate.unlabelled:,} real rows that lack it was predicted by {estimate.predictor}"
    many = " for the middle coefficient" if len(estimate.figures) > 1 else ""
    if gain < GAIN:
        return f"{who}; that narrows the interval by next to nothing{many}."
    worth = estimate.labelled * (gain - 1)
    return f"{who}; corrected on the rows that hold it, that is worth {worth:,.0f} more of these{many}."


def finding(estimate: Estimate) -> Finding:
    """Return the answer as a finding; its own interval is one of 95 %, or left to the details."""
    gained = estimate.predictor and middle_gain(estimate) >= GAIN
    verdict: Verdict = "poor" if estimate.broken else "good" if gained else "fair"
    single = estimate.figures[0] if len(estimate.figures) == 1 else None
    details: dict[str, Any] = {**(_ways(single, estimate.alpha) if single else _coefficients(estimate)),
                               "labelled rows": estimate.labelled, "unlabelled rows": estimate.unlabelled,
                               "level of the intervals": 1 - estimate.alpha, "predictor": estimate.predictor or "none"}
    if single:
        details |= {"weight of the predictions": single.weight, "labelled rows it is worth": estimate.effective_rows}
    return Finding(f"inference.{estimate.kind}", question(estimate), verdict, estimate.reason, RULE,
                   value=single.value if single else None,
                   interval=single.interval if single and estimate.alpha == USUAL else None,
                   details=details, definition=DEFINITION, references=REFERENCES)


def question(estimate: Estimate) -> str:
    """Return what was asked, as a question."""
    return f"What {'is' if len(estimate.figures) == 1 else 'are the coefficients of'} {estimate.asked}?"


def _ways(figure: Figure, alpha: float) -> dict[str, Any]:
    """The ways of estimating: a picture, whose intervals are those of 95 %, or a table."""
    wide = [("labelled rows alone", figure.classical, figure.classical_interval, "valid")]
    if figure.weight:
        wide.insert(0, ("with predictions", figure.value, figure.interval, "valid"))
    if figure.naive is not None and figure.naive_interval is not None:
        wide.append(("made-up rows counted as real", figure.naive, figure.naive_interval, "not valid"))
    if alpha != USUAL:
        return {"ways": [{"way": name, "value": value, "low": interval[0], "high": interval[1], "note": note}
                         for name, value, interval, note in wide]}
    return {"items": [{"name": name, "value": value, "reference": figure.classical, "interval": list(interval),
                       "note": note} for name, value, interval, note in wide],
            "items_say": {"title": "Ways to estimate it", "lead": "What predictions change, and what not to do.",
                          "value": "the estimate", "reference": "the estimate from the labelled rows alone"}}


def _coefficients(estimate: Estimate) -> dict[str, Any]:
    rows = [{"coefficient": f.name, "value": f.value, "low": f.interval[0], "high": f.interval[1],
             "labelled rows alone": f.classical, "alone, low": f.classical_interval[0],
             "alone, high": f.classical_interval[1], "weight": f.weight, "gain": f.gain} for f in estimate.figures]
    return {"coefficients": rows}


def assessment(estimate: Estimate) -> Assessment:
    """Return a study of one finding."""
    contrast = len(estimate.figures) == 1 and estimate.figures[0].naive is not None
    notes = [*estimate.notes, *([NAIVE] if contrast else [])]
    return Assessment((finding(estimate),), {"source": estimate.source, "notes": notes})


def as_dict(estimate: Estimate) -> dict[str, Any]:
    """Return JSON values only."""
    told = asdict(estimate)
    told["figures"] = [{key: list(value) if isinstance(value, tuple) else value for key, value in figure.items()}
                       for figure in told["figures"]]
    return {**told, "cautions": list(estimate.cautions), "notes": list(estimate.notes), "reason": estimate.reason}
