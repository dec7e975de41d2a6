"""Columns that tell of groups, moved until they tell nothing of them: ranks of numbers, categories all together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import polars as pl

from verisyn.drawing import Drawing
from verisyn.kinds import BaseCoder
from verisyn.steering import _redraw
from verisyn.steering._proxies import Proxies

_OFFERS, _ROUNDS = 32, 30


class Move(Protocol):
    """How the codes of some parts change."""

    @property
    def parts(self) -> tuple[int, ...]:
        """The parts that move."""
        ...

    def of(self, codes: np.ndarray, group: np.ndarray, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """Return codes, int32 (rows, parts of the table); those of other parts are as they were."""
        ...


@dataclass(frozen=True)
class Ranks:
    """An ordered part: each group's ranks are given the values that all rows together have there (Feldman et al. 2015).

    Parameters
    ----------
    parts : tuple of int
        Just the one.
    shares : float array of shape (groups, codes)
        Those that each group has of the codes; of a missing value none, for it has no rank, and stays.
    common : float array of shape (codes,)
        Those that all groups have together.
    """

    parts: tuple[int, ...]
    shares: np.ndarray
    common: np.ndarray

    @classmethod
    def learn(cls, part: int, codes: np.ndarray, group: np.ndarray, drawing: Drawing) -> Ranks:
        """Learn from the model's own rows."""
        own, groups = drawing.fitted.parts[part], int(group.max()) + 1
        known = (group >= 0) & (codes[:, part] != own.missing)
        counts = np.bincount(group[known] * own.size + codes[known, part], minlength=groups * own.size)
        counts = counts.reshape(groups, own.size)
        return cls((part,), counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
                   counts.sum(axis=0) / max(counts.sum(), 1))

    def of(self, codes: np.ndarray, group: np.ndarray, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """Return codes; a code that many rows share has its ranks dealt out to them by chance."""
        [part], g = self.parts, np.maximum(group, 0)
        at, out = codes[:, part], codes.copy(order="F")
        before = np.cumsum(self.shares, axis=1) - self.shares
        rank = before[g, at] + rng.random(len(at)) * self.shares[g, at]
        new = np.searchsorted(np.cumsum(self.common), rank, side="right")
        known = (group >= 0) & (at != drawing.fitted.parts[part].missing) & (self.shares[g, at] > 0)
        out[known, part] = np.minimum(new, np.flatnonzero(self.common)[-1])[known]
        return out


@dataclass(frozen=True)
class Joint:
    """All parts without an order, as one: as few rows as need be change, until all groups have the same shares.

    A row that changes takes the codes of an own row, among those that its group lacks; of several on offer one that
    suits its other columns, as they would be in the offered row's group.

    Parameters
    ----------
    parts : tuple of int
    told : tuple of int
        The parts of the sensitive columns.
    own : int array of shape (rows, parts of the table)
        The model's own rows.
    kind : int array of shape (rows,)
        Which combination of codes each of them has.
    shares : float array of shape (groups, combinations)
    common : float array of shape (combinations,)
    pull : float array of shape (groups, combinations)
        By how much an offer's chance is multiplied, so that together they are taken as often as they are lacking.
    """

    parts: tuple[int, ...]
    told: tuple[int, ...]
    own: np.ndarray
    kind: np.ndarray
    shares: np.ndarray
    common: np.ndarray
    pull: np.ndarray

    @classmethod
    def learn(cls, parts: tuple[int, ...], told: tuple[int, ...], codes: np.ndarray, group: np.ndarray,
              drawing: Drawing) -> Joint:
        """Learn from the model's own rows."""
        codes, group = codes[group >= 0], group[group >= 0]
        _, kind = np.unique(codes[:, parts], axis=0, return_inverse=True)
        kind, groups = kind.ravel(), int(group.max()) + 1
        counts = np.bincount(group * (kind.max() + 1) + kind, minlength=groups * (kind.max() + 1)).reshape(groups, -1)
        move = cls(parts, told, codes, kind, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
                   counts.sum(axis=0) / counts.sum(), np.ones(counts.shape))
        rng = np.random.default_rng(0)
        leaving = np.flatnonzero(rng.random(len(kind)) >= move._stays(kind, group))
        if not len(leaving):
            return move
        offers, log_p = move._offered(codes[leaving], group[leaving], drawing, rng)
        return replace(move, pull=move._pulled(kind[offers], log_p, group[leaving]))

    @property
    def _lacking(self) -> np.ndarray:
        """What each group lacks of the common shares, (groups, combinations)."""
        return np.maximum(self.common - self.shares, 0)

    def _stays(self, kind: np.ndarray, group: np.ndarray) -> np.ndarray:
        """The chance that a row stays as it is: its combination's share of all rows over that in its group."""
        ratio = np.divide(self.common, self.shares, out=np.ones_like(self.shares), where=self.shares > 0)
        ratio = np.minimum(1.0, ratio)[np.maximum(group, 0), np.maximum(kind, 0)]
        return np.where((group >= 0) & (kind >= 0), ratio, 1.0)

    def _offered(self, codes: np.ndarray, group: np.ndarray, drawing: Drawing,
                 rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Own rows on offer to each row, drawn by what its group lacks; and log p of the row with each."""
        weight = (self._lacking / np.maximum(np.bincount(self.kind, minlength=len(self.common)), 1))[:, self.kind]
        offers = np.empty((len(codes), _OFFERS), np.int64)
        for g in np.unique(group):
            steps, mine = np.cumsum(weight[g]), group == g
            marks = rng.random((int(mine.sum()), _OFFERS)) * steps[-1]
            offers[mine] = np.minimum(np.searchsorted(steps, marks, side="right"), len(steps) - 1)
        log_p = np.empty(offers.shape)
        for rows in _redraw.chunks(len(codes), _OFFERS):
            each = np.asfortranarray(np.repeat(codes[rows], _OFFERS, axis=0))
            each[:, [*self.parts, *self.told]] = self.own[offers[rows].ravel()][:, [*self.parts, *self.told]]
            log_p[rows] = _redraw.likelihood(each, drawing).reshape(-1, _OFFERS)
        return offers, log_p

    def _pulled(self, kinds: np.ndarray, log_p: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Factors under which offers are taken, on average, as often as they are lacking (iterative fitting)."""
        pull, suits = np.ones(self.shares.shape), np.exp(log_p - log_p.max(axis=1, keepdims=True)) + 1e-6
        for g in np.unique(group):
            mine, lacks = group == g, self._lacking[g] / self._lacking[g].sum()
            for _ in range(_ROUNDS):
                weight = suits[mine] * pull[g][kinds[mine]]
                weight /= weight.sum(axis=1, keepdims=True)
                got = np.bincount(kinds[mine].ravel(), weight.ravel(), minlength=len(lacks)) / len(weight)
                pull[g] *= np.divide(lacks, got, out=np.ones_like(got), where=got > 0)
        return pull

    def of(self, codes: np.ndarray, group: np.ndarray, drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
        """Return codes; a row whose combination no own row has stays as it is."""
        kind = self._kinds(codes)
        rows = np.flatnonzero(rng.random(len(codes)) >= self._stays(kind, group))
        rows = rows[self._lacking[group[rows]].any(axis=1)]
        out = codes.copy(order="F")
        if len(rows):
            offers, log_p = self._offered(codes[rows], group[rows], drawing, rng)
            suits = np.exp(log_p - log_p.max(axis=1, keepdims=True)) + 1e-6
            taken = _redraw.drawn(suits * self.pull[group[rows][:, None], self.kind[offers]], rng)
            out[np.ix_(rows, self.parts)] = self.own[offers[np.arange(len(rows)), taken]][:, self.parts]
        return out

    def _kinds(self, codes: np.ndarray) -> np.ndarray:
        """Which combination each row has; -1 for one that no own row has."""
        _, first, known = np.unique(np.vstack([self.own, codes])[:, self.parts], axis=0, return_index=True,
                                    return_inverse=True)
        number = np.where(first < len(self.own), self.kind[np.minimum(first, len(self.own) - 1)], -1)
        return number[known.ravel()[len(self.own):]]


@dataclass(frozen=True)
class Repair:
    """What is done to proxies: columns that are left out, and moves of others.

    Parameters
    ----------
    removed : tuple of str
    moves : tuple of Move
    repaired : tuple of str
    beyond : tuple of str
        Those of `removed` that were to be repaired, but are not drawn as one value of their own.
    left : dict
        The association with the groups that columns kept, where it is not small.
    """

    removed: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    repaired: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    left: dict[str, float] = field(default_factory=dict)

    @classmethod
    def learn(cls, proxies: Proxies, columns: Collection[str], own: pl.DataFrame, group: np.ndarray, drawing: Drawing,
              taken: Collection[str]) -> Repair:
        """Learn how columns move; one that is not drawn as one value of its own cannot, and is left out."""
        if proxies.way == "remove":
            return cls(tuple(columns))
        moves: list[Move] = []
        unordered: list[int] = []
        told: list[int] = []
        codes = drawing.coder.encode(own).values
        repaired: list[str] = []
        beyond: list[str] = []
        for coder, where in drawing.coder.slices():
            mine, apart = set(coder.columns) & {*columns}, not set(coder.columns) & {*taken}
            if set(coder.columns) & {*taken}:
                told += range(where.start, where.stop)
            if mine and not (apart and _movable(coder)):
                beyond += [c for c in coder.columns if c in mine]
            elif mine:
                repaired += coder.columns
                if coder.parts[0].ordered:
                    moves.append(Ranks.learn(where.start, codes, group, drawing))
                else:
                    unordered.append(where.start)
        if unordered:
            moves.append(Joint.learn(tuple(unordered), tuple(told), codes, group, drawing))
        return cls(tuple(beyond), tuple(moves), tuple(repaired), tuple(beyond))

    def applied(self, frame: pl.DataFrame, group: np.ndarray, drawing: Drawing,
                rng: np.random.Generator) -> pl.DataFrame:
        """Return the frame with columns moved, none left out; a row that would break a constraint stays as it was."""
        for move in self.moves:
            codes = drawing.coder.encode(frame).values
            new = move.of(codes, group, drawing, rng)
            rows = np.flatnonzero((new != codes).any(axis=1))
            if len(rows):
                values = _values(frame[rows], codes[rows], new[rows], move, drawing, rng)
                changed, sound = _redraw.put(frame[rows], values, drawing, rng)
                frame = _redraw.exchanged(frame, rows[sound], changed.filter(sound))
        return frame


def _movable(coder: BaseCoder) -> bool:
    return len(coder.parts) == 1 and coder.learnt and not coder.needs


def _values(frame: pl.DataFrame, codes: np.ndarray, new: np.ndarray, move: Move, drawing: Drawing,
            rng: np.random.Generator) -> pl.DataFrame:
    """The columns of the parts that move; a value whose code stays is kept."""
    found = []
    for coder, where in drawing.coder.slices():
        if where.start in move.parts and coder.parts:
            changed = pl.Series(new[:, where.start] != codes[:, where.start])
            values = _redraw.decoded(coder, new[:, where.start], rng)
            found += [values[c].zip_with(changed, frame[c]) for c in coder.columns]
    return pl.DataFrame(found)
