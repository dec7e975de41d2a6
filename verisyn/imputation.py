"""Missing cells completed from the model's conditional distribution given every other cell of the row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.drawing import BLOCK, Drawing, child
from verisyn.kinds import Draw
from verisyn.modalities.table import Allowed

_ENUMERATED = 64
_CANDIDATES = (64, 1024)
_ENOUGH = 10.0
_AT_ODDS = -50.0
"""Added to the log weight of a candidate that an observed column, recomputed from what is drawn, contradicts."""


@dataclass(frozen=True)
class Gaps:
    """Which cells are to be completed.

    Parameters
    ----------
    cells : dict
        For each column with missing cells, a boolean per row.
    parts : bool array of shape (rows, parts)
        The codes that stand for them; what is recomputed from other columns follows from those.
    """

    cells: dict[str, np.ndarray]
    parts: np.ndarray

    @classmethod
    def of(cls, frame: pl.DataFrame, drawing: Drawing) -> Gaps:
        """Find the missing cells of every column that is modelled (ids, personal data and free text are not)."""
        cells, parts = {}, np.zeros((frame.height, len(drawing.coder.parts)), bool)
        for coder, where in drawing.coder.slices():
            for name in coder.columns if coder.learnt else ():
                gone = _missing(frame[name])
                if gone.any():
                    cells[name] = gone
                    if name not in coder.recomputed:
                        parts[:, where] |= gone[:, None]
            if set(coder.columns) <= set(coder.recomputed):  # coded by a helper, which takes all of its columns
                for name in (*coder.columns, *(n for n in coder.needs if n in frame.columns)):
                    parts[:, where] |= _missing(frame[name])[:, None]
        return cls(cells, parts)


def impute(frame: pl.DataFrame, drawing: Drawing, draws: int, root: np.random.SeedSequence) -> list[pl.DataFrame]:
    """Return the frame so many times, each with its missing cells drawn anew; all other cells stay as they are.

    A row that lacks one part of at most 64 codes is completed exactly: each code is weighed by the probability of the
    whole row. Elsewhere 64 candidates are drawn along the chain, each given the columns before it, weighed by the
    probability of the observed columns after it, and one is chosen by weight (sampling importance resampling, Rubin
    1988); rows in which fewer than ten candidates effectively count, or all contradict an observed cell, get 1,024. A
    cell that a formula tells from the others of its row is computed. Missing itself is never drawn.
    """
    frame = drawing.coder.rules.solved(frame, Gaps.of(frame, drawing).cells)
    gaps = Gaps.of(frame, drawing)
    codes = drawing.coder.encode(frame.select(drawing.coder.columns)).values
    completed = np.repeat(codes[None], draws, axis=0)
    for number, rows in enumerate(_batches(gaps.parts)):
        rng = np.random.default_rng(child(child(root, 0), number))
        batch = Incomplete(drawing, frame[rows], codes[rows], np.flatnonzero(gaps.parts[rows[0]]))
        completed[:, rows] = batch.completed(draws, rng)
    return [_filled(frame, gaps, drawing, one, child(child(root, 1), i)) for i, one in enumerate(completed)]


def with_columns_of(frame: pl.DataFrame, drawing: Drawing) -> pl.DataFrame:
    """Return the frame with every column of the model, in its type where all of it is missing."""
    blank = drawing.coder.blank()
    absent = [c for c in drawing.coder.columns if c not in frame.columns or frame[c].null_count() == frame.height]
    return frame.with_columns(pl.lit(None, dtype=blank[c].dtype).alias(c) for c in absent)


def _missing(column: pl.Series) -> np.ndarray:
    gone = column.is_null()
    return (gone | column.is_nan().fill_null(False) if column.dtype.is_float() else gone).to_numpy()


def _batches(gaps: np.ndarray) -> Iterator[np.ndarray]:
    """Yield rows that lack the same parts together, at most so many that their candidates fill a block."""
    rows = np.flatnonzero(gaps.any(axis=1))
    _, pattern = np.unique(gaps[rows], axis=0, return_inverse=True)
    pattern = pattern.ravel()
    for which in range(pattern.max(initial=-1) + 1):
        mine = rows[pattern == which]
        yield from np.array_split(mine, -(-len(mine) * _CANDIDATES[0] // BLOCK))


@dataclass(frozen=True)
class Incomplete:
    """Rows that lack the same parts.

    Parameters
    ----------
    drawing : Drawing
    given : DataFrame
        The rows.
    codes : int32 array of shape (rows, parts)
        Their codes; those of the parts they lack mean nothing.
    gone : int array
        The parts they lack.
    """

    drawing: Drawing
    given: pl.DataFrame
    codes: np.ndarray
    gone: np.ndarray

    def completed(self, draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return codes, int32 (draws, rows, parts)."""
        parts = self.drawing.fitted.parts
        allowed = {int(j): np.arange(parts[j].size) != parts[j].missing for j in self.gone}
        if not all(mask.any() for mask in allowed.values()):  # nothing was ever seen there, so nothing can be drawn
            return np.repeat(self.codes[None], draws, axis=0)
        if len(self.gone) == 1 and allowed[int(self.gone[0])].sum() <= _ENUMERATED:
            return self._enumerated(np.flatnonzero(allowed[int(self.gone[0])]), draws, rng)
        out, slim = self._drawn(allowed, _CANDIDATES[0], draws, rng)
        for rows in np.array_split(np.flatnonzero(slim), int(slim.sum()) * _CANDIDATES[1] // BLOCK + 1):
            if len(rows):
                some = Incomplete(self.drawing, self.given[rows], self.codes[rows], self.gone)
                out[:, rows], _ = some._drawn(allowed, _CANDIDATES[1], draws, rng)
        return out

    def _enumerated(self, possible: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
        """Weigh every possible code of the one part that is gone."""
        candidates = np.repeat(self.codes[:, None], len(possible), axis=1)
        candidates[:, :, self.gone[0]] = possible
        log_p = self.drawing.fitted.log_prob(_flat(candidates)).sum(axis=1)
        return _chosen(candidates, log_p + self._odds(candidates), draws, rng)[0]

    def _drawn(self, allowed: Allowed, number: int, draws: int,
               rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw candidates along the chain and choose among them by weight; say which rows had too few that count."""
        candidates = np.repeat(self.codes[:, None], number, axis=1)
        candidates[:, :, self.gone] = -1
        codes, log_p = self.drawing.fitted.complete(_flat(candidates), rng, allowed)
        candidates = codes.reshape(candidates.shape)
        odds = self._odds(candidates)
        chosen, slim = _chosen(candidates, log_p.sum(axis=1) + odds, draws, rng)
        return chosen, slim | (odds.reshape(candidates.shape[:2]).max(axis=1) < 0)

    def _odds(self, candidates: np.ndarray) -> np.ndarray:
        """What observed columns that are recomputed from a missing one add to the log weights."""
        flat, odds = _flat(candidates), np.zeros(candidates.shape[0] * candidates.shape[1])
        for coder, where in self.drawing.coder.slices():
            if coder.needs or not set(self.gone) & set(range(where.start, where.stop)):
                continue
            shown = coder.decode(flat[:, where], Draw(np.random.default_rng(0), np.zeros(len(flat), np.int64)))
            for name in coder.recomputed:
                observed = self.given[name].gather(np.repeat(np.arange(len(candidates)), candidates.shape[1]))
                odds[(observed != shown[name]).fill_null(False).to_numpy()] += _AT_ODDS
        return odds


def _flat(candidates: np.ndarray) -> np.ndarray:
    return np.asfortranarray(candidates.reshape(-1, candidates.shape[2]))


def _chosen(candidates: np.ndarray, log_weight: np.ndarray, draws: int,
            rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Choose by weight; also say for which rows too few candidates effectively count."""
    rows = np.arange(len(candidates))
    log_weight = log_weight.reshape(candidates.shape[:2])
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    steps = np.cumsum(weight, axis=1)
    marks = rng.random((draws, len(rows), 1)) * steps[:, -1:]
    which = np.minimum((steps[None] <= marks).sum(axis=2), candidates.shape[1] - 1)
    return candidates[rows, which], steps[:, -1] ** 2 / (weight**2).sum(axis=1) < _ENOUGH


def _filled(frame: pl.DataFrame, gaps: Gaps, drawing: Drawing, codes: np.ndarray,
            seed: np.random.SeedSequence) -> pl.DataFrame:
    """Put the values of completed codes where cells were missing; recompute what follows from them."""
    some = np.flatnonzero(np.any([gaps.parts.any(axis=1), *gaps.cells.values()], axis=0))
    if not len(some):
        return frame
    draw, settle = seed.spawn(2)
    own, given = drawing.decode(codes[some], draw), frame[some]
    recomputed = {name for coder in drawing.coder.coders for name in coder.recomputed}
    known = [given[name].zip_with(pl.Series(~_missing(given[name])), own[name].cast(given[name].dtype, strict=False))
             for name in own.columns if name not in recomputed]
    drawn = drawing.coder.rules.changed(own, pl.DataFrame(known), np.random.default_rng(settle))
    cells = {name: gone[some] for name, gone in gaps.cells.items()}
    whole = given.with_columns(given[name].zip_with(pl.Series(~gone), drawn[name].cast(given[name].dtype, strict=False))
                               for name, gone in cells.items())
    whole = drawing.coder.rules.solved(whole, cells, own)
    return frame.with_columns(frame[name].clone().scatter(some, whole[name]) for name in cells)
