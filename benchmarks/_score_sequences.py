"""Neutral scores of synthetic histories against the held-out half of the real ones; verisyn's own metrics are not used.

A judge (boosted trees, AUC) sees features of windows, and of whole entities; errors of autocorrelation, cross-correlation and spectrum
are mean absolute differences; the next row is the total variation of two binned rows that follow each other, a column at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from _judges import PERSONAL, Coder, apart, binned, bins, ks, like, nearer_train, told_apart

LAGS, WINDOW, PAIRS = 20, 24, 15


class Side:
    """Histories of one side as arrays, entity after entity, each in its order."""

    def __init__(self, frame: pl.DataFrame, schema: dict, coder: Coder, fixed: Coder) -> None:
        entity, time = schema["entity"], schema["time"]
        own = frame[entity].cast(pl.String).fill_null("") if entity else pl.Series(np.zeros(frame.height).astype(str))
        frame = frame.with_columns(own.rank("dense").alias("__own")).sort("__own", time, maintain_order=True)
        self.own = frame["__own"].cast(pl.Int64).to_numpy() - 1
        self.starts = np.flatnonzero(np.r_[True, self.own[1:] != self.own[:-1]]) if len(self.own) else np.zeros(0, int)
        self.lengths = np.diff(np.r_[self.starts, len(self.own)])
        self.values, self.categories = coder(frame), np.array(coder.categories)
        clock = frame[time]
        self.clock = (clock.cast(pl.Datetime("us")).dt.epoch("s") if clock.dtype.is_temporal() else clock).cast(
            pl.Float64).fill_null(np.nan).to_numpy()
        self.statics = fixed(frame[self.starts.tolist()])

    @property
    def numbers(self) -> np.ndarray:
        return self.values[:, ~self.categories]

    def centred(self) -> np.ndarray:
        """Numbers less their entity's mean; missing is 0."""
        x = np.nan_to_num(self.numbers, nan=np.nan)
        known = ~np.isnan(x)
        sums = np.add.reduceat(np.where(known, x, 0), self.starts, axis=0)
        means = sums / np.maximum(np.add.reduceat(known.astype(float), self.starts, axis=0), 1)
        return np.where(known, x - np.repeat(means, self.lengths, axis=0), 0)

    def follows(self, lag: int) -> np.ndarray:
        """Rows that have another one of their entity so many rows on."""
        return np.flatnonzero(self.own[lag:] == self.own[:-lag]) if lag < len(self.own) else np.zeros(0, int)

    def chunks(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Begin and end of windows of at most so many rows that lie one after the other within an entity."""
        begins = np.concatenate([np.arange(s, s + n, most) for s, n in zip(self.starts, self.lengths, strict=True)])
        ends = np.minimum(begins + most, np.repeat(self.starts + self.lengths, -(-self.lengths // most)))
        return begins, ends


def features(side: Side, begins: np.ndarray, ends: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Describe stretches of rows: level, spread, ends, slope, jumps and their sign, lag-one correlation, pairs, levels, gaps, place."""
    rows = []
    for b, e in zip(begins, ends, strict=True):
        x, c, t = side.numbers[b:e], side.values[b:e, side.categories], side.clock[b:e]
        jump = np.diff(x, axis=0)
        sd, n = np.nanstd(x, axis=0), e - b
        z = np.nan_to_num((x - np.nanmean(x, axis=0)) / np.where(sd > 0, sd, 1))
        slope = (np.linspace(-1, 1, n)[:, None] * z).mean(axis=0) if n > 1 else np.zeros(x.shape[1])
        step = np.nanstd(jump, axis=0) if n > 1 else np.full(x.shape[1], np.nan)
        lag = (z[1:] * z[:-1]).mean(axis=0) if n > 1 else np.zeros(x.shape[1])
        both = (z[:, pairs[:, 0]] * z[:, pairs[:, 1]]).mean(axis=0)
        levels = np.concatenate([[np.mean(c[:, j] == k) for k in range(3)] + [np.mean(c[1:, j] != c[:-1, j]) if n > 1 else 0.0]
                                 for j in range(c.shape[1])]) if c.shape[1] else np.zeros(0)
        gaps = [np.mean(np.diff(t)), np.std(np.diff(t)), np.median(np.diff(t))] if n > 1 else [np.nan] * 3
        at = b - side.starts[side.own[b]]
        rows.append(np.concatenate([np.nanmean(x, axis=0), sd, np.nanmin(x, axis=0), np.nanmax(x, axis=0), x[0], x[-1], slope, step, lag,
                                    both, levels, gaps, [n, at, side.lengths[side.own[b]] - at, t[0]],
                                    side.statics[side.own[b]]]))
    return np.asarray(rows, float)


def score(hold: pl.DataFrame, train: pl.DataFrame, fake: pl.DataFrame, schema: dict) -> dict[str, Any]:
    """Return the figures of synthetic histories; one long series is scored against the half that was learnt from."""
    if schema["entity"] is None:
        hold = train
    kept = [c for c in (schema["entity"], schema["time"], *schema["statics"]) if c]
    rows, statics = hold.select(pl.exclude(kept)), hold.select(schema["statics"])
    rows, statics = (f.drop(c for c in f.columns if f[c].dtype == pl.String and PERSONAL.search(c)) for f in (rows, statics))
    coder, fixed = (Coder(f, train.select(f.columns)) for f in (rows, statics))
    fake = like(fake, hold.with_columns(pl.col(schema["entity"]).cast(pl.String)) if schema["entity"] else hold)
    real, seen, made = (Side(f, schema, coder, fixed) for f in (hold, train, fake))
    with np.errstate(all="ignore"):
        import warnings
        warnings.filterwarnings("ignore")
        told = {**apart_by_judges(real, seen, made, schema["entity"] is not None), **errors(real, made),
                "predictive": predictive(real, seen, made)}
    return {**told, "entities": len(made.starts), "rows": len(made.own)}


def apart_by_judges(real: Side, seen: Side, made: Side, several: bool) -> dict[str, float | None]:
    """Windows and entities told apart, and whether entities lie nearer to those learnt from."""
    rng = np.random.default_rng(0)
    many = real.numbers.shape[1]
    every = np.array([(a, b) for a in range(many) for b in range(a)], int).reshape(-1, 2)
    pairs = every[rng.permutation(len(every))[:PAIRS]]
    stretches = []
    for s in (real, made):
        b, e = s.chunks(WINDOW)
        chosen = np.sort(rng.permutation(len(b))[:4000])
        groups = s.own[b[chosen]] if several else b[chosen] // (8 * WINDOW)
        stretches.append((features(s, b[chosen], e[chosen], pairs), groups))
    told: dict[str, float | None] = {"window": told_apart(stretches[0][0], stretches[1][0], None, (stretches[0][1], stretches[1][1]))}
    if several:
        whole = []
        for s in (real, seen, made):
            chosen = np.sort(rng.permutation(len(s.starts))[:12_000])
            whole.append(features(s, s.starts[chosen], (s.starts + s.lengths)[chosen], pairs))
        told |= {"entity": told_apart(whole[0], whole[2]), "nearer_train": nearer_train(whole[1], whole[0], whole[2])}
        told["length"] = ks(real.lengths, made.lengths)
    return told


def errors(real: Side, made: Side) -> dict[str, float | None]:
    """How far autocorrelation, cross-correlation, spectrum, gaps, next rows and the entities' share of the variance are off."""
    lags = range(1, int(max(2, min(LAGS, np.median(real.lengths) // 2))))
    acf = [abs(a - b).mean() for a, b in ((remembered(real, k), remembered(made, k)) for k in lags)]
    cross = [np.corrcoef(s.centred().T) if s.numbers.shape[1] > 1 else None for s in (real, made)]
    gaps = [np.diff(s.clock)[s.follows(1)] for s in (real, made)]
    between = [1 - s.centred().var(axis=0) / np.maximum(np.nanvar(s.numbers, axis=0), 1e-300) for s in (real, made)]
    cuts = [bins(real.values[:, j], 10) if not real.categories[j] else None for j in range(real.values.shape[1])]
    following = []
    for j, cut in enumerate(cuts):
        coded = [binned(s.values[:, j], cut) if cut is not None else np.nan_to_num(s.values[:, j], nan=61).astype(int).clip(0, 61)
                 for s in (real, made)]
        sides = [(c[s.follows(1)], c[s.follows(1) + 1]) for c, s in zip(coded, (real, made), strict=True)]
        following.append(apart(*sides))
    return {"acf": float(np.mean(acf)) if acf and real.values.shape[1] else None,
            "cross": float(np.nanmean(np.abs(np.nan_to_num(cross[0]) - np.nan_to_num(cross[1])))) if cross[0] is not None else None,
            "spectrum": spectrum(real, made), "gaps": ks(*gaps), "between": float(np.mean(np.abs(between[0] - between[1]))) if len(real.starts) > 1
            and real.numbers.shape[1] else None, "next": float(np.mean(following)) if following else None}


def remembered(side: Side, lag: int) -> np.ndarray:
    """Autocorrelation of each number within entities; for a category the share of rows that have their level again."""
    here = side.follows(lag)
    x, c = side.centred(), side.values[:, side.categories]
    numbers = (x[here] * x[here + lag]).mean(axis=0) / np.maximum((x**2).mean(axis=0), 1e-300) if len(here) else np.zeros(x.shape[1])
    levels = (c[here] == c[here + lag]).mean(axis=0) if len(here) else np.zeros(c.shape[1])
    return np.concatenate([numbers, levels])


def spectrum(real: Side, made: Side) -> float | None:
    """Largest distance of the cumulated mean periodograms of windows, mean over columns; None where histories are short."""
    size = 2 ** int(np.log2(max(np.median(real.lengths), 1)))
    size = min(size, 64)
    if size < 16 or not real.numbers.shape[1]:
        return None
    found = []
    for s in (real, made):
        (b, e), centred = s.chunks(size), s.centred()
        whole = b[(e - b) == size][:5000]
        if not len(whole):
            return 1.0
        x = np.stack([centred[i:i + size] for i in whole])
        x = (x - x.mean(axis=1, keepdims=True)) * np.hanning(size)[None, :, None]
        power = (np.abs(np.fft.rfft(x, axis=1)) ** 2)[:, 1:].sum(axis=0)
        found.append(np.cumsum(power / np.maximum(power.sum(axis=0), 1e-300), axis=0))
    return float(np.abs(found[0] - found[1]).max(axis=0).mean())


def predictive(real: Side, seen: Side, made: Side, past: int = 3, most: int = 6000) -> float | None:
    """Error on real rows of the next value foretold by trees that learnt from synthetic rows, over that of trees that learnt real ones."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    spread = np.nanstd(seen.numbers, axis=0)
    strength = np.where(spread > 0, np.abs(remembered(seen, 1)[: seen.numbers.shape[1]]), -1)
    targets = [j for j in np.argsort(-strength)[:3] if strength[j] > 0]
    rng, sides = np.random.default_rng(0), []
    for s in (seen, made, real):
        here = s.follows(past)
        here = rng.permutation(here)[:most]
        place = (here + past - s.starts[s.own[here]])[:, None]
        sides.append((np.hstack([s.values[here + k] for k in range(past)] + [place]), s.numbers[here + past]))
    if not targets or min(len(x) for x, _ in sides) < 100:
        return None
    ratios = []
    for j in targets:
        losses = []
        for x, y in sides[:2]:
            known = ~np.isnan(y[:, j])
            model = HistGradientBoostingRegressor(max_iter=60, random_state=0, early_stopping=False).fit(x[known], y[known, j])
            ok = ~np.isnan(sides[2][1][:, j])
            losses.append(np.abs(model.predict(sides[2][0][ok]) - sides[2][1][ok, j]).mean())
        ratios.append(losses[1] / max(losses[0], 1e-12))
    return float(np.mean(ratios))
