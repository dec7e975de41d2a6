"""Normal scores of codes: what the linear parts of questions add up."""

from __future__ import annotations

import numpy as np

from verisyn.kinds import Part
from verisyn.modalities.table import Codes
from verisyn.modalities.table._boost import Scores

_TAIL = 1e-4
"""Scores go no further out than this share of the rows."""


def _has_scores(part: Part) -> bool:
    return part.ordered or part.size <= 2


def room_for(parts: tuple[Part, ...]) -> int:
    """Scores of all parts."""
    return sum(part.size for part in parts if _has_scores(part))


def places_of(parts: tuple[Part, ...]) -> np.ndarray:
    """Where each part's scores begin; -1 for a part without."""
    sizes = np.array([part.size if _has_scores(part) else 0 for part in parts], np.int64)
    return np.where(sizes > 0, np.cumsum(sizes) - sizes, -1)


def scores_of(codes: Codes) -> Scores:
    """Normal scores (van der Waerden) of the codes of ordered parts and of parts of two codes; missing is 0."""
    out = [_normal_scores(codes.values[:, j], part) for j, part in enumerate(codes.parts) if _has_scores(part)]
    return Scores(np.concatenate([np.empty(0, "<f4"), *out]), places_of(codes.parts))


def _normal_scores(own: np.ndarray, part: Part) -> np.ndarray:
    from scipy.special import ndtri

    counts = np.bincount(own, minlength=part.size).astype(np.float64)
    if part.missing >= 0:
        counts[part.missing] = 0
    middle = (np.cumsum(counts) - counts / 2 + 0.5) / (counts.sum() + 1)
    score = ndtri(np.clip(middle, _TAIL, 1 - _TAIL))
    if part.missing >= 0:
        score[part.missing] = 0
    return score.astype("<f4")
