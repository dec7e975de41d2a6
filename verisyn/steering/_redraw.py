"""Cells of finished rows drawn anew: their chances given all else, and the rows that may keep them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from verisyn.drawing import BLOCK, Drawing
from verisyn.kinds import BaseCoder, Draw

_AT_ONCE = 10 * BLOCK
_IMPOSSIBLE = -1e3


def chances(codes: np.ndarray, part: int, known: np.ndarray, drawing: Drawing) -> np.ndarray:
    """Return the probability of each code of a part given all other codes of the row, (rows, codes).

    It is read off the probability of the whole row under each code, and so exact. Codes that are not `known` (a missing
    value, say) have none.
    """
    out = np.zeros((len(codes), drawing.fitted.parts[part].size))
    for rows in chunks(len(codes), len(known)):
        each = np.asfortranarray(np.repeat(codes[rows], len(known), axis=0))
        each[:, part] = np.tile(known, len(codes[rows]))
        log_p = likelihood(each, drawing).reshape(-1, len(known))
        weight = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        out[rows][:, known] = weight / weight.sum(axis=1, keepdims=True)
    return out


def likelihood(codes: np.ndarray, drawing: Drawing) -> np.ndarray:
    """Return log p of each row; where the model holds a code impossible, as in a mended row, the others still count."""
    return np.maximum(drawing.fitted.log_prob(codes), _IMPOSSIBLE).sum(axis=1)


def chunks(rows: int, each: int) -> Iterator[slice]:
    """Yield slices of rows, so few that `each` candidates a row fit into memory."""
    step = max(1, _AT_ONCE // max(each, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def drawn(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an index a row, drawn by weights of shape (rows, choices); some weight is above 0.

    Examples
    --------
    >>> drawn(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    steps = np.cumsum(weights, axis=1)
    mark = rng.random(len(weights)) * steps[:, -1]
    return np.minimum((steps <= mark[:, None]).sum(axis=1), weights.shape[1] - 1)


def decoded(coder: BaseCoder, codes: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Return the values of a one-part coder's codes."""
    return coder.decode(codes[:, None].astype(np.int32), Draw(rng, rng.integers(0, 2**62, len(codes))))


def put(frame: pl.DataFrame, new: pl.DataFrame, drawing: Drawing,
        rng: np.random.Generator) -> tuple[pl.DataFrame, np.ndarray]:
    """Put new columns into rows, recompute what follows from them, and mend nothing.

    Returns
    -------
    frame : DataFrame
        All rows, changed.
    sound : bool array of shape (rows,)
        Which of them keep the constraints.
    """
    rules = drawing.coder.rules
    recomputing = replace(rules, rules=tuple(r for r in rules.rules if r.derives))
    derived = {c for r in recomputing.rules for c in r.derives}
    # A helper tells how a derived column relates to its source: in the row as it was, unless it is what changes.
    itself, columns = set(new.columns) & derived, new.get_columns()
    rest = recomputing.help(frame.with_columns(columns)) if itself else recomputing.help(frame).with_columns(columns)
    changed = recomputing.settle(rest.drop(derived), rng).select(frame.columns)
    return changed, ~rules.broken_rows(changed)


def exchanged(frame: pl.DataFrame, rows: np.ndarray, new: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with some rows, by index, replaced."""
    index = np.arange(frame.height)
    index[rows] = frame.height + np.arange(new.height)
    return pl.concat([frame, new.select(frame.columns)])[index]
