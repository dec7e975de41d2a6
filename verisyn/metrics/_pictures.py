"""What the report draws of one column: both sides' shares of rows a bin, and no bin of fewer than 5 real rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.kinds import Feature, K

_BARS = 30
_LEVELS = 15
_TYPES = {"": "number", "seconds since 1970": "time", "seconds": "duration"}


def picture(real: Feature, fake: Feature) -> dict[str, Any]:
    """Return a column's type, bins and both sides' shares; empty lists where too few real rows hold values."""
    kind = "category" if real.levels else _TYPES.get(real.unit, "number")
    gone = {"missing_real": _share(np.isnan(real.values)), "missing_fake": _share(np.isnan(fake.values))}
    a, b = (f.values[~np.isnan(f.values)] for f in (real, fake))
    bins = _levels(real, a, b) if real.levels else _bars(a, b)
    return {"name": real.name, "type": kind, **bins, **gone}


def _share(flags: np.ndarray) -> float:
    return round(float(flags.mean()), 6) if len(flags) else 0.0


def _shares(counts: np.ndarray, rows: int) -> list[float]:
    return [round(float(c) / max(1, rows), 6) for c in counts]


def _levels(feature: Feature, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    real, fake = (np.bincount(x.astype(np.int64), minlength=feature.levels) for x in (a, b))
    named = len(feature.labels)
    top = [i for i in np.argsort(-real[:named], kind="stable")[:_LEVELS] if real[i] >= K]
    labels, real_top, fake_top = [feature.labels[i] for i in top], real[top], fake[top]
    others = np.array([len(a) - real_top.sum(), len(b) - fake_top.sum()])
    if others.any() and labels:
        labels = [*labels, "(all others)"]
        real_top, fake_top = np.append(real_top, others[0]), np.append(fake_top, others[1])
    return {"labels": labels, "real": _shares(real_top, len(a)), "fake": _shares(fake_top, len(b))}


def _bars(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """Bars of equal width between round numbers, so that no edge is a row's value; thin ones join their neighbour."""
    if len(a) < 2 * K:
        return {"edges": [], "real": [], "fake": []}
    edges = _edges(a)
    real, fake = (np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0] for x in (a, b))
    starts, held = [0], 0
    for i, count in enumerate(real):
        if held >= K and real[i:].sum() >= K:
            starts.append(i)
            held = 0
        held += count
    joined = [float(edges[i]) for i in starts] + [float(edges[-1])]
    return {"edges": joined, "real": _shares(np.add.reduceat(real, starts), len(a)),
            "fake": _shares(np.add.reduceat(fake, starts), len(b))}


def _edges(values: np.ndarray) -> np.ndarray:
    """Round steps over the middle 98 % of the values, with a step more at either end for the rest."""
    low, high = np.quantile(values, [0.01, 0.99])
    if high <= low:
        low, high = low - 0.5, low + 0.5
    raw = (high - low) / _BARS
    power = 10.0 ** np.floor(np.log10(raw)) if raw > 0 else 0.0
    if not power > 0 or not np.isfinite(high - low):
        return np.array([low, np.nextafter(high, np.inf)])
    step = power * next(s for s in (1, 2, 5, 10) if s * power >= raw)
    whole = bool(np.all(values == np.round(values)))
    if whole:
        step = max(1.0, step)
    shift = 0.5 if whole and step == 1 else 0.0  # bars of single whole numbers stand centred on them
    first, last = np.floor(low / step) - 1, np.ceil(high / step) + 1
    return (np.arange(first, last + 1) - shift) * step


def counted(counts: np.ndarray) -> tuple[int, int] | tuple[None, None]:
    """Return the least and the most of some counts of real rows, as far as five of them reach; none of fewer than ten.

    Examples
    --------
    >>> counted(np.array([0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 9])), counted(np.array([3]))
    ((1, 2), (None, None))
    """
    ordered = np.sort(counts)
    return (int(ordered[K - 1]), int(ordered[-K])) if len(ordered) >= 2 * K else (None, None)
