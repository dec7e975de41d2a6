"""How unusual a row is: its likelihood beside those of the model's own rows, and which columns make it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.drawing import Drawing, child
from verisyn.kinds import BaseCoder, Feature, K

OWN_ROWS = 20_000
_TAIL = 0.01
_FINEST = 1e-3


@dataclass(frozen=True)
class Spread:
    """How wide the values of each code of a numeric column lie, from the model's own rows.

    A code stands for about as many rows as any other, so that a code alone tells nothing of an extreme value: its
    density does, the code's probability over its width. Beyond the model's range the density falls off exponentially,
    by the width of the outermost code.
    """

    low: float
    high: float
    widths: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, codes: np.ndarray, size: int) -> Spread:
        """Measure widths; NaN values are left out."""
        known = np.isfinite(values)
        values, codes = values[known], codes[known]
        first, last = np.full(size, np.inf), np.full(size, -np.inf)
        np.minimum.at(first, codes, values)
        np.maximum.at(last, codes, values)
        inner = np.quantile(values, [_TAIL, 1 - _TAIL]) if len(values) else np.zeros(2)
        steps = np.diff(np.unique(values))
        finest = max(steps.min(initial=np.inf), _FINEST * float(inner[1] - inner[0]))
        finest = finest if 0 < finest < np.inf else 1.0
        widths = np.where(last >= first, last - first, 0) + finest
        return cls(values.min(initial=np.inf), values.max(initial=-np.inf), widths)

    def log_density(self, values: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """What to add to the log-probability of the codes: minus the log of their width; less beyond the range."""
        known = np.isfinite(values)
        out = np.zeros(len(values))
        x, width = values[known], self.widths[codes[known]]
        out[known] = -np.log(width) - np.maximum(np.maximum(self.low - x, x - self.high), 0) / width
        return out


@dataclass(frozen=True)
class Ordinary:
    """What is usual: the likelihoods of the model's own rows.

    Parameters
    ----------
    spreads : list of Spread or None
        One a coder; None where codes say it all.
    log_p : float64 array of shape (columns,)
        The mean log-likelihood of each coder's columns.
    totals : float64 array
        The log-likelihood of each own row, ascending.
    floor : float
        The log-likelihood of what no code can tell: a level, or a missing value, that training had not; a broken rule.
    """

    spreads: list[Spread | None]
    log_p: np.ndarray
    totals: np.ndarray
    floor: float

    @classmethod
    def of(cls, drawing: Drawing, rows: int) -> Ordinary:
        """Learn from own rows; `rows` is how many the model learnt from."""
        seed = np.random.SeedSequence([drawing.seed, 0x0D1])
        frame = drawing.blocks(OWN_ROWS, child(seed, 0))
        codes = drawing.coder.encode(frame).values
        spreads = [_spread(coder, coder.features(frame), codes[:, where]) for coder, where in drawing.coder.slices()]
        blank = cls(spreads, np.zeros(0), np.zeros(0), float(np.log(K / max(rows, 2 * K))))
        log_p = blank.by_coder(frame, drawing)
        return cls(spreads, log_p.mean(axis=0), np.sort(log_p.sum(axis=1)), blank.floor)

    def by_coder(self, frame: pl.DataFrame, drawing: Drawing) -> np.ndarray:
        """Return the log-likelihood of each row by coder, float64 (rows, coders)."""
        codes = drawing.coder.encode(frame.select(drawing.coder.columns)).values
        log_p = drawing.fitted.log_prob(codes)
        out = np.zeros((frame.height, len(self.spreads)))
        for i, (coder, where) in enumerate(drawing.coder.slices()):
            out[:, i] = log_p[:, where].sum(axis=1)
            features, spread = coder.features(frame), self.spreads[i]
            if spread:
                out[:, i] += spread.log_density(_measured(coder, features).values, codes[:, where.start])
            unheard = _unheard(coder, features, frame.height)
            for rule in drawing.coder.rules.rules:
                if rule.columns[-1] in coder.columns:
                    unheard |= rule.broken(frame)
            out[unheard, i] = np.minimum(out[unheard, i], self.floor)
        return out

    def score(self, totals: np.ndarray) -> np.ndarray:
        """Return the share of own rows that are likelier; past the least likely, by an exponential tail."""
        share = 1 - np.searchsorted(self.totals, totals, side="right") / len(self.totals)
        tail = self.totals[: max(int(_TAIL * len(self.totals)), 2)]
        beyond = np.maximum(tail[0] - totals, 0) / max(tail[-1] - tail.mean(), 1e-9)
        last = 1 / (len(self.totals) + 1)
        return np.where(totals < tail[0], 1 - last * np.exp(-beyond), np.minimum(share, 1 - last))


def reasons(log_p: np.ndarray, ordinary: Ordinary, columns: Sequence[str]) -> pl.DataFrame:
    """Return each row's score, the column that adds most to it, and each column's nats beyond the usual."""
    excess = ordinary.log_p - log_p
    most = np.array(columns, dtype=object)[excess.argmax(axis=1)] if len(columns) else []
    return pl.DataFrame({"score": ordinary.score(log_p.sum(axis=1)), "column": pl.Series(list(most), dtype=pl.String)}
                        ).hstack(pl.DataFrame(dict(zip(columns, excess.T, strict=True))))


def _spread(coder: BaseCoder, features: list[Feature], codes: np.ndarray) -> Spread | None:
    alone = len(coder.parts) == 1 and coder.parts[0].ordered and len(coder.columns) - len(coder.recomputed) <= 1
    if not alone or not any(f.levels == 0 for f in features):
        return None
    return Spread.of(_measured(coder, features).values, codes[:, 0], coder.parts[0].size)


def _measured(coder: BaseCoder, features: list[Feature]) -> Feature:
    """The numbers that the coder's codes cut into bins: those of its own column before those of a recomputed one."""
    numbers = [f for f in features if f.levels == 0]
    return next((f for f in numbers if f.name not in coder.recomputed), numbers[0])


def _unheard(coder: BaseCoder, features: list[Feature], rows: int) -> np.ndarray:
    """Which rows hold a level, or a missing value, that training had not."""
    out = np.zeros(rows, bool)
    never_missing = all(part.missing < 0 for part in coder.parts)
    for feature in features:
        if feature.levels:
            out |= feature.values >= len(feature.labels)
        if never_missing:
            out |= ~np.isfinite(feature.values)
    return out
