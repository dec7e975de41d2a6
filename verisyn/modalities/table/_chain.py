"""What the tree generator learnt: a chain of forests, one a part; drawn from, followed, calibrated, kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from verisyn.errors import UserError
from verisyn.kinds import Part
from verisyn.modalities.table import Allowed, Carry, Codes, Fitted, _boost, told_of
from verisyn.modalities.table._boost import CodeTree, Forest, Scores
from verisyn.modalities.table._scores import places_of, room_for
from verisyn.modalities.table._sound import is_sound

_REHEARSAL = 50_000
"""Rows that are drawn to see by how much a column's shares are off."""


class Chain(Fitted):
    """p(row) as a product over parts of p(code | codes before it), each read off a code tree.

    `forests` and `links` (which part each forest is of) are in the order of the chain; codes, as everywhere, in that of
    the table. The first `told` parts are context, which has no forests. `carries` take codes over from the row before.
    """

    def __init__(self, parts: tuple[Part, ...], forests: list[Forest], links: tuple[int, ...], told: int = 0,
                 carries: tuple[Carry, ...] = ()):
        self.parts, self.forests, self.links, self.told, self.carries = parts, forests, links, told, carries

    @property
    def order(self) -> tuple[int, ...]:
        """The parts, in the order in which they are drawn."""
        return self.links

    def _drawn(self) -> Iterator[tuple[int, int, Forest]]:
        """Yield (place in the chain, part, forest) of all parts that are drawn."""
        return ((self.told + i, self.links[self.told + i], forest) for i, forest in enumerate(self.forests))

    def sample(self, rows: int, rng: np.random.Generator, allowed: Allowed | None = None,
               context: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows, part by part; together they miss the model's shares by less than independent rows would."""
        codes = np.empty((rows, len(self.parts)), np.int32, order="F")
        seen, order, log_mass = self._blank(rows), np.arange(rows, dtype=np.int32), np.zeros(rows)
        if context is not None:
            codes[:, :self.told] = context
            self._tell(seen, context)
        for place, j, forest in self._drawn():
            mask, seed = (allowed or {}).get(j), _seed(rng)
            if mask is None or not mask.any():
                codes[:, j] = forest.draw(seen, seed, order)
                mass = np.full(rows, 0.0 if mask is None else -np.inf)
            else:
                codes[:, j], mass = forest.draw_within(seen, seed, mask)
            carried = self._carry(codes, j)
            if mask is not None:  # a code that is carried over was not drawn: it is allowed, or it is not
                mass[carried] = np.where(mask[codes[carried, j]], 0.0, -np.inf)
            log_mass += mass
            seen[:, place] = as_feature(codes[:, j], self.parts[j])
        return codes, log_mass

    def _carry(self, codes: np.ndarray, j: int) -> np.ndarray:
        """Take over codes of part `j` from the row before, where a row says so; return these rows."""
        for carry in (c for c in self.carries if c.own == j):  # one at most
            rows = carry.carried(codes, self.parts[j].size)
            codes[rows, j] = codes[rows, carry.before]
            return rows
        return np.empty(0, np.int64)

    def calibrate(self, codes: Codes, seed: np.random.SeedSequence) -> None:
        """Draw rows, and shift every question on the way so that each part's codes are as frequent as in `codes`."""
        rng = np.random.default_rng(seed)
        if self.told and codes.rows > _REHEARSAL:  # rows may be sorted; their contexts shall be as all rows' are
            some = np.sort(rng.choice(codes.rows, _REHEARSAL, replace=False))
            codes = replace(codes, values=np.asfortranarray(codes.values[some]))
        rows = min(codes.rows, _REHEARSAL)
        seen, order = self._blank(rows), np.arange(rows, dtype=np.int32)
        self._tell(seen, codes.values[:rows, :self.told])
        drawn = np.array(codes.values[:rows], np.int32, order="F") if self.carries else \
            np.empty((rows, len(self.parts)), np.int32, order="F")
        for place, j, forest in self._drawn():
            size, among = self.parts[j].size, rest_of(self.carries, j, drawn, self.parts[j].size)
            own = codes.values[rest_of(self.carries, j, codes.values, size), j]
            share = forest.tree.shares(np.bincount(own, minlength=size))
            if len(among) == rows:
                drawn[:, j] = forest.draw(seen, _seed(rng), order, share)
            elif len(among):
                of_these = np.arange(len(among), dtype=np.int32)
                drawn[among, j] = forest.draw(np.ascontiguousarray(seen[among]), _seed(rng), of_these, share)
            self._carry(drawn, j)
            seen[:, place] = as_feature(drawn[:, j], self.parts[j])

    def _blank(self, rows: int) -> np.ndarray:
        """What a row tells of itself: its codes so far, in the chain's order, and the core's scratch."""
        return np.zeros((rows, len(self.parts) + _boost.DEPTHS), np.uint16)

    def _tell(self, seen: np.ndarray, context: np.ndarray) -> None:
        for j in range(self.told):
            seen[:, j] = as_feature(context[:, j], self.parts[j])

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """Return log p(code | codes before it), of carried codes too, as if they had been drawn."""
        seen, out = self._blank(len(codes)), np.zeros(codes.shape)
        for place, j in enumerate(self.links):
            seen[:, place] = as_feature(codes[:, j], self.parts[j])
        for _, j, forest in self._drawn():
            out[:, j] = forest.log_prob(seen, codes[:, j])
        return out

    def complete(self, codes: np.ndarray, rng: np.random.Generator,
                 allowed: Allowed | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw the codes that are -1, part by part."""
        out, log_p = np.array(codes, np.int32, order="F"), np.zeros(codes.shape)
        seen = self._blank(len(codes))
        self._tell(seen, codes)
        for place, j, forest in self._drawn():
            gone, mask = out[:, j] < 0, (allowed or {}).get(j, np.ones(self.parts[j].size, bool))
            if gone.any():
                out[gone, j], log_p[gone, j] = forest.draw_within(seen[gone], _seed(rng), mask)
            if not gone.all():
                log_p[~gone, j] = forest.log_prob(seen[~gone], out[~gone, j])
            seen[:, place] = as_feature(out[:, j], self.parts[j])
        return out, log_p

    def state(self) -> dict[str, Any]:
        """Return one array a field, the parts one after the other, and each part's share of them."""
        pieces = [pieces_of(forest) for forest in self.forests]
        lengths = [[len(a) for a in p.values()] for p in pieces]
        return {
            "links": np.array(self.links, np.int32), "told": np.array([self.told], np.int32),
            **({"carries": np.array(self.carries, np.int32)} if self.carries else {}),
            "lengths": np.array(lengths, np.int64).reshape(len(pieces), len(_FIELDS)),
            **{f: np.concatenate([np.empty(0, kind), *(p[f] for p in pieces)]) for f, kind in _FIELDS.items()},
            "scores": self.forests[0].scores.values if self.forests else np.empty(0, "<f4"),
        }

    @classmethod
    def restore(cls, parts: tuple[Part, ...], state: dict[str, Any]) -> Self:
        """Rebuild from `state`."""
        links, told = tuple(map(int, state["links"])), told_of(state)
        chained = tuple(parts[j] for j in links) if sorted(links) == list(range(len(parts))) else ()
        ends = np.cumsum(state["lengths"], axis=0)
        split = {f: np.split(state[f].astype(kind, copy=False), ends[:-1, i])
                 for i, (f, kind) in enumerate(_FIELDS.items())}
        scores = Scores(state["scores"].astype("<f4", copy=False), places_of(chained))
        drawn = range(min(max(0, len(chained) - told), len(ends)))
        forests = [forest_of({f: split[f][i] for f in _FIELDS}, scores) for i in drawn]
        sound = (told >= 0 and len(ends) + told == len(chained) and links[:told] == tuple(range(told))
                 and all(is_sound(f, told + i, chained) for i, f in enumerate(forests)))
        told_over = state.get("carries", np.empty((0, 4), np.int32)).reshape(-1, 4)
        carries = tuple(Carry(*map(int, row)) for row in told_over)
        sound = sound and all(told <= c.says < c.own < len(parts) and 0 <= c.before < told
                              for c in carries)
        if not sound or len(chained) != len(parts) or len(scores.values) != (room_for(parts) if forests else 0):
            raise UserError("The model is damaged: an index of its trees leads nowhere. Fit it again.")
        return cls(parts, forests, links, told, carries)


_FIELDS = {"left": "<i4", "right": "<i4", "mid": "<i4", "perm": "<i4", "base": "<f4", "shift": "<f4",
           "first_tree": "<i4", "first_mask": "<i4", "first_weight": "<i4", "root": "<i4", "mask": "<u8",
           **{f"node_{name}": kind for name, kind in _boost.NODE_FIELDS.items()},
           **{f"term_{name}": kind for name, kind in _boost.WEIGHT_FIELDS.items()}}


def rest_of(carries: Sequence[Carry], j: int, codes: np.ndarray, size: int) -> np.ndarray:
    """Return the rows whose code of part `j` is not carried over; all of them where it is in all."""
    rest = np.ones(len(codes), bool)
    for carry in (c for c in carries if c.own == j):
        rest[carry.carried(codes, size)] = False
    return np.flatnonzero(rest) if rest.any() else np.arange(len(codes))


def pieces_of(forest: Forest) -> dict[str, np.ndarray]:
    """Take a forest apart into flat arrays."""
    whole = {**vars(forest.tree), **vars(forest), "mask": forest.mask.ravel(),
             **{f"node_{n}": forest.node[n] for n in _boost.NODE_FIELDS},
             **{f"term_{n}": forest.weight[n] for n in _boost.WEIGHT_FIELDS}}
    return {f: whole[f] for f in _FIELDS}


def forest_of(pieces: dict[str, np.ndarray], scores: Scores) -> Forest:
    """Put a forest together again."""
    def table(dtype: np.dtype, prefix: str) -> np.ndarray:
        out = np.zeros(len(pieces[prefix + (dtype.names or ("",))[0]]), dtype)
        for name in dtype.names or ():
            out[name] = pieces[prefix + name]
        return out

    tree = CodeTree(*(pieces[f] for f in ("left", "right", "mid", "perm")))
    flat = {f: pieces[f] for f in ("base", "shift", "first_tree", "first_mask", "first_weight", "root")}
    return Forest(tree, **flat, node=table(_boost.NODE, "node_"), mask=pieces["mask"].reshape(-1, 4),
                  weight=table(_boost.WEIGHT, "term_"), scores=scores)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 2**63))


def as_feature(codes: np.ndarray, part: Part) -> np.ndarray:
    """Codes as those after see them: 16 bits, unordered ones from the 255th on together."""
    return np.minimum(codes, 65535 if part.ordered else _boost.LEVELS - 1)
