"""Each column drawn alone from its training frequencies: the floor every other generator must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from verisyn.kinds import Part
from verisyn.modalities.table import Allowed, BaseGenerator, Codes, Fitted, Tick, told_of

_UNSEEN = 1e-9
"""Weight, in rows, of a code no training row had: it is all but never drawn, yet its log-probability is finite."""


class Frequencies(Fitted):
    """The share of each code of each part; a context tells nothing of them."""

    def __init__(self, parts: tuple[Part, ...], shares: list[np.ndarray], told: int = 0):
        self.parts, self.told = parts, told
        self.shares = shares

    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, each part on its own."""
        codes = np.empty((rows, len(self.parts)), np.int32, order="F")
        log_mass = np.zeros(rows)
        if context is not None:
            codes[:, :self.told] = context
        for j, share in enumerate(self.shares[self.told:], self.told):
            mask = (allowed or {}).get(j)
            if mask is not None:
                mass = share[mask].sum()
                log_mass += np.log(mass) if mass > 0 else -np.inf
                share = np.where(mask, share, 0.0) if mass > 0 else share
            steps = np.cumsum(share)
            drawn = np.searchsorted(steps, rng.random(rows) * steps[-1], side="right")
            codes[:, j] = np.minimum(drawn, np.flatnonzero(share)[-1])
        return codes, log_mass

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return the log share of each code."""
        out = np.zeros(codes.shape)
        for j, share in enumerate(self.shares[self.told:], self.told):
            out[:, j] = np.log(share)[codes[:, j]]
        return out

    def complete(self, codes: np.ndarray, rng: np.random.Generator,
                 allowed: Allowed | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw the codes that are -1; the others tell nothing of them."""
        drawn, _ = self.sample(len(codes), rng, allowed, codes[:, :self.told])
        out, masks = np.where(codes < 0, drawn, codes), allowed or {}
        mass = [np.log(s[masks[j]].sum()) if j in masks else 0.0 for j, s in enumerate(self.shares)]
        return out, np.where(codes < 0, mass, self.log_prob(out))

    def state(self) -> dict[str, Any]:
        """Return the shares, one array after the other."""
        return {"shares": np.concatenate([np.empty(0), *self.shares]), "told": np.array([self.told], np.int32)}

    @classmethod
    def restore(cls, parts: tuple[Part, ...], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        ends = np.cumsum([part.size for part in parts], dtype=np.int64)
        return cls(parts, np.split(state["shares"], ends)[: len(parts)], told_of(state))


@dataclass(frozen=True)
class Generator(BaseGenerator):
    """Nothing to set.

    Examples
    --------
    >>> codes = Codes(np.array([[0], [1], [1], [1]]), (Part(2, ordered=False),), ("answer",))
    >>> fitted = Generator().fit(codes, np.random.SeedSequence(0))
    >>> np.exp(fitted.log_prob(np.array([[1]]))).round(6)
    array([[0.75]])
    """

    fitted: ClassVar = Frequencies

    def fit(self, codes: Codes, seed: np.random.SeedSequence, jobs: int = 1,
            tick: Tick = lambda done: None) -> Frequencies:
        """Count codes; there is no randomness in it and nothing worth a second thread."""
        shares = []
        for j, part in enumerate(codes.parts):
            counts = np.maximum(np.bincount(codes.values[:, j], minlength=part.size), _UNSEEN)
            shares.append(counts / counts.sum())
            tick(int(j >= codes.told))
        return Frequencies(codes.parts, shares, codes.told)
