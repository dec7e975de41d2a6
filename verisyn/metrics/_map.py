"""A map of real and synthetic rows side by side: two axes learnt on training rows, shares of rows in 24 by 24 cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.linalg import svds

from verisyn.kinds import K
from verisyn.metrics import Side, Sides
from verisyn.metrics._support import shuffled

CELLS = 24
_ROWS, _VALUES = 5_000, 3_000_000
_MARGIN = 0.15
_TOLD, _LEADS = 3, 0.15


def landscape(sides: Sides, rng: np.random.Generator) -> dict[str, Any]:
    """Return the map: training rows beside synthetic rows, on the first two principal components of training rows.

    Every column weighs the same: its part of the vectors is scaled to a total variance of 1. Cells reach a little
    beyond the middle 99 % of the real rows; rows further out lie in the cells at the edge. A cell of fewer than five
    real rows shows none.

    Returns
    -------
    dict
        `axes`: which columns each axis mostly follows, in words; `explained`: its share of the variance; `real` and
        `fake`: lists of (x, y, share), cells counted from 0; `real_left_out`: the share of real rows in cells that
        show none; `cells`; `rows`.
    """
    rows = int(np.clip(_VALUES / max(1, sides.train.width), 500, _ROWS))
    real, fake = (shuffled(side, rows, rng) for side in (sides.train, sides.fake))
    centre, scale = _centred(real)
    x = (real.vectors - centre) * scale
    directions, explained = _components(x)
    places = [x @ directions, ((fake.vectors - centre) * scale) @ directions]
    low, high = np.quantile(places[0], [0.005, 0.995], axis=0)
    margin = np.maximum((high - low) * _MARGIN, 1e-6)
    step = (high - low + 2 * margin) / CELLS
    shown, counted = [], []
    for place in places:
        x_y = np.clip((place - low + margin) // step, 0, CELLS - 1).astype(np.int64)
        counts = np.bincount(x_y[:, 0] * CELLS + x_y[:, 1], minlength=CELLS * CELLS)
        counted.append(counts)
        least = K if place is places[0] else 1
        shown.append([[int(c // CELLS), int(c % CELLS), round(float(counts[c]) / len(place), 6)]
                      for c in np.flatnonzero(counts >= least)])
    thin = counted[0] < K
    return {"axes": [_led_by(directions[:, i], real) for i in range(2)],
            "explained": [round(float(e), 4) for e in explained], "real": shown[0], "fake": shown[1], "cells": CELLS,
            "real_left_out": round(float(counted[0][thin].sum()) / len(x), 6), "rows": [len(p) for p in places]}


def _centred(side: Side) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the vectors, and what brings each column's part of them to a total variance of 1."""
    centre, variance = side.vectors.mean(axis=0), side.vectors.var(axis=0)
    scale = np.zeros(len(centre), np.float32)
    for block in side.blocks:
        total = float(variance[block].sum())
        scale[block] = total**-0.5 if total > 1e-9 else 0.0
    return centre, scale


def _components(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal directions, as columns, the largest entry of each positive; and their shares."""
    total = float((x**2).sum())
    directions, explained = np.zeros((x.shape[1], 2), np.float32), np.zeros(2)
    if total > 0:
        small = min(x.shape) <= 3
        _, sizes, rows = np.linalg.svd(x, full_matrices=False) if small else svds(x, k=2, v0=np.ones(min(x.shape)))
        for at, i in enumerate(np.argsort(-sizes)[:2]):
            explained[at] = sizes[i] ** 2 / total
            directions[:, at] = rows[i] * (np.sign(rows[i][np.abs(rows[i]).argmax()]) or 1.0)
    return directions, explained


def _led_by(direction: np.ndarray, side: Side) -> str:
    """Name the columns that an axis mostly follows: at most three, each with a share of it worth the name."""
    shares = np.array([float((direction[block] ** 2).sum()) for block in side.blocks])
    if not shares.sum():
        return "nothing: no column varies"
    order = np.argsort(-shares, kind="stable")[:_TOLD]
    names = [side.features[i].name for n, i in enumerate(order) if not n or shares[i] >= _LEADS]
    return f"mostly {', '.join(map(repr, names))}"
