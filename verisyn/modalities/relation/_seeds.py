"""Parents that are given: what kind of parent each is, drawn given its columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._tables import Root

_GUESSES = 32


def seeded(root: Root, frame: pl.DataFrame, seed: np.random.SeedSequence) -> pl.DataFrame:
    """Return given rows with their hidden columns.

    Hidden columns are proposed by the model, and one proposal is chosen for each row by how likely it makes the row's
    own columns (importance resampling, Rubin 1988).
    """
    rng = np.random.default_rng(seed)
    names = [c.name for c in root.table.columns]
    hidden = [n for n in names if n.startswith(_hidden.MARK)]
    blank = root.coder.blank()
    known = frame.select(pl.col(c).cast(blank.schema[c], strict=False) for c in names if c in frame.columns)
    whole = pl.concat([_hidden.numbered(pl.DataFrame(), frame.height), known], how="horizontal")
    lacking = [c for c in names if c not in whole.columns]
    whole = whole.with_columns(pl.lit(None, dtype=blank.schema[c]).alias(c) for c in lacking)
    if not hidden:
        return _hidden.numbered(frame, frame.height)
    codes = root.coder.encode(whole).values
    own = [w for c, w in root.coder.slices() if set(c.columns) & set(hidden)]
    columns = np.concatenate([np.arange(w.start, w.stop) for w in own])
    best, found = np.full(frame.height, -np.inf), codes.copy()
    for _ in range(_GUESSES):
        drawn, _ = root.fitted.sample(frame.height, rng)
        guess = codes.copy()
        guess[:, columns] = drawn[:, columns]
        chances = root.fitted.log_prob(np.asfortranarray(guess))
        rest = np.delete(chances, columns, axis=1).sum(axis=1) + rng.gumbel(size=frame.height)
        better = rest > best
        best[better], found[better] = rest[better], guess[better]
    shown = root.coder.decode(found, seed).select(hidden)
    return pl.concat([_hidden.numbered(shown, frame.height), frame], how="horizontal")
