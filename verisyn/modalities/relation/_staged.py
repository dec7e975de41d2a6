"""Generators of roots: what kind of row first, and where a row points before the rest of it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from verisyn.modalities.table import Allowed, Codes, Fitted
from verisyn.modalities.table._conditional import packed


class Spread(Fitted):
    """A generator whose context is drawn by the shares it has in the data, as evenly as rows allow.

    Seen from outside there is no context: what kind of parent a row is to others comes first, its columns after.
    """

    def __init__(self, inner: Fitted, tuples: np.ndarray, shares: np.ndarray):
        self.inner, self.tuples, self.shares = inner, tuples, shares
        self.parts, self.told = inner.parts, 0

    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows; see :class:`Fitted`."""
        if not self.inner.told:
            return self.inner.sample(rows, rng, allowed)
        return self.inner.sample(rows, rng, allowed, self._contexts(rows, rng) if context is None else context)

    def _contexts(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Draw systematically: of n rows, each kind has its share of n, give or take one."""
        order = rng.permutation(len(self.shares))
        ends = np.cumsum(self.shares[order])
        at = (np.arange(rows) + rng.random()) / max(rows, 1) * ends[-1]
        picked = order[np.minimum(np.searchsorted(ends, at, side="right"), len(order) - 1)]
        return np.asfortranarray(self.tuples[rng.permutation(picked)])

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return log p of each code given those before it, the context as told."""
        return self.inner.log_prob(codes)

    def state(self) -> dict[str, Any]:
        """Return what was learnt."""
        return {"inner": self.inner.state(), "tuples": self.tuples, "shares": self.shares}

    @classmethod
    def restore(cls, parts: Any, state: dict[str, Any]) -> Self:
        """Not on any shelf: :meth:`Root.restore` rebuilds it."""
        raise NotImplementedError


class Staged(Fitted):
    """A row in two stages: what decides where it points; then the rest, given that and the rows it points to.

    Parameters
    ----------
    first : Spread
        Of the first parts of a row.
    rest : Fitted
        Its context is the first parts, and then codes beside the row.
    """

    def __init__(self, first: Spread, rest: Fitted):
        self.first, self.rest, self.told = first, rest, 0
        self.parts = (*first.parts, *rest.parts[rest.told:])
        self.unknown = np.array([p.size - 1 for p in rest.parts[self.cut:rest.told]], np.int32)

    @property
    def cut(self) -> int:
        """How many parts the first stage draws."""
        return len(self.first.parts)

    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows that point nowhere; see :class:`Fitted`."""
        codes, mass = self.first.sample(rows, rng, self._within(allowed, 0, self.cut), context)
        codes, more = self.follow(codes, np.tile(self.unknown, (rows, 1)), rng, allowed)
        return codes, mass + more

    def follow(self, codes: np.ndarray, beside: np.ndarray, rng: np.random.Generator, allowed: Allowed | None = None
               ) -> tuple[np.ndarray, np.ndarray]:
        """Draw the rest of rows, given the codes of the first stage and those beside them."""
        told = self.rest.told
        shifted = self._within(allowed, self.cut, len(self.parts), told)
        out, mass = self.rest.sample(len(codes), rng, shifted, np.hstack([codes[:, :self.cut], beside]))
        return np.asfortranarray(np.hstack([codes[:, :self.cut], out[:, told:]])), mass

    @staticmethod
    def _within(allowed: Allowed | None, start: int, stop: int, shift: int = 0) -> Allowed | None:
        return {j - start + shift: mask for j, mask in allowed.items() if start <= j < stop} if allowed else None

    def rehearse(self, codes: np.ndarray, beside: np.ndarray, own: np.ndarray, seed: np.random.SeedSequence) -> None:
        """Let the rest have the shares that it has in the source, where rows point to synthetic parents.

        `codes` and `beside` are those of drawn rows, `own` the source's codes of the rest.
        """
        calibrate = getattr(self.rest, "calibrate", None)
        if calibrate is None or not len(codes) or not len(own):
            return
        told = np.hstack([codes[:, :self.cut], beside])
        rng = np.random.default_rng(seed)
        again = told[rng.integers(0, len(told), len(own))] if len(told) < len(own) else told[:len(own)]
        values = np.asfortranarray(np.hstack([again, own]))
        calibrate(Codes(values, self.rest.parts, ("",) * len(self.rest.parts), self.rest.told), seed)

    def log_prob(self, codes: np.ndarray, beside: np.ndarray | None = None) -> np.ndarray:
        """Return log p of each code given those before it, and those beside the row."""
        beside = np.tile(self.unknown, (len(codes), 1)) if beside is None else beside
        rest = np.asfortranarray(np.hstack([codes[:, :self.cut], beside, codes[:, self.cut:]]))
        first = self.first.log_prob(np.asfortranarray(codes[:, :self.cut]))
        return np.hstack([first, self.rest.log_prob(rest)[:, self.rest.told:]])

    def state(self) -> dict[str, Any]:
        """Return what was learnt."""
        return {"first": self.first.state(), "rest": self.rest.state(),
                "beside": packed(self.rest.parts[self.cut:self.rest.told])}

    @classmethod
    def restore(cls, parts: Any, state: dict[str, Any]) -> Self:
        """Not on any shelf: :meth:`Root.restore` rebuilds it."""
        raise NotImplementedError
