"""Small tables: in each class of like rows, every column drawn on its own (a latent class model; Lazarsfeld 1950)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from verisyn.kinds import Part
from verisyn.modalities.table import Allowed, BaseGenerator, Codes, Fitted, Tick, told_of

_OVERALL = 0.5
"""Rows' worth of the shares of all classes in those of one."""


class Classes(Fitted):
    """The share of each code of each part, by the first part of the context."""

    def __init__(self, parts: tuple[Part, ...], shares: list[np.ndarray], told: int):
        self.parts, self.shares, self.told = parts, shares, told

    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, each part given the class alone."""
        codes = np.empty((rows, len(self.parts)), np.int32, order="F")
        if context is not None:
            codes[:, :self.told] = context
        log_mass = np.zeros(rows)
        of = codes[:, 0]
        for j, share in enumerate(self.shares, self.told):
            mask = (allowed or {}).get(j)
            if mask is not None:
                share = np.where(mask, share, 0.0)
                with np.errstate(divide="ignore"):
                    log_mass += np.log(share.sum(axis=1))[of]
            steps = np.cumsum(share, axis=1)
            at = rng.random(rows) * steps[of, -1]
            codes[:, j] = np.minimum((steps[of] <= at[:, None]).sum(axis=1), self.parts[j].size - 1)
        return codes, log_mass

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return the log share of each code in its class."""
        out = np.zeros(codes.shape)
        for j, share in enumerate(self.shares, self.told):
            out[:, j] = np.log(share[codes[:, 0], codes[:, j]])
        return out

    def state(self) -> dict[str, Any]:
        """Return the shares, one array after the other."""
        return {"shares": np.concatenate([np.empty(0), *(s.ravel() for s in self.shares)]),
                "told": np.array([self.told], np.int32)}

    @classmethod
    def restore(cls, parts: tuple[Part, ...], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        told = told_of(state)
        classes = parts[0].size
        ends = np.cumsum([classes * part.size for part in parts[told:]], dtype=np.int64)
        split = np.split(state["shares"], ends)[:len(parts) - told]
        return cls(parts, [s.reshape(classes, -1) for s in split], told)


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """Nothing to set: what is learnt are shares within classes that the context tells."""

    fitted: ClassVar = Classes

    def fit(self, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1, tick: Tick = lambda done: None) -> Classes:
        """Count codes in each class, and add some of what they are on the whole."""
        classes, shares = codes.parts[0].size, []
        for part, own in zip(codes.parts[codes.told:], codes.values.T[codes.told:], strict=True):
            counts = np.bincount(codes.values[:, 0] * part.size + own, minlength=classes * part.size)
            counts = counts.reshape(classes, part.size).astype(float)
            overall = (counts.sum(axis=0) + 1e-9) / (counts.sum() + part.size * 1e-9)
            counts += _OVERALL * overall
            shares.append(counts / counts.sum(axis=1, keepdims=True))
            tick(1)
        return Classes(codes.parts, shares, codes.told)
