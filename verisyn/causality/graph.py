"""Arrows between columns: cycles named, an order to learn in, and which columns respond to which."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any, Self, TypeVar

from verisyn.errors import UserError
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Cause, Table

Node = TypeVar("Node", str, int)


def effects_of(arrows: Iterable[tuple[Node, Node]]) -> dict[Node, list[Node]]:
    """Return for each cause its direct effects."""
    found: dict[Node, list[Node]] = {}
    for cause, effect in arrows:
        found.setdefault(cause, []).append(effect)
    return found


def descendants(node: Node, effects: Mapping[Node, Sequence[Node]]) -> set[Node]:
    """Return what a node is a cause of, directly or through others."""
    found: set[Node] = set()
    waiting = list(effects.get(node, ()))
    while waiting:
        effect = waiting.pop()
        if effect not in found:
            found.add(effect)
            waiting += effects.get(effect, ())
    return found


def cycle_of(arrows: Collection[tuple[Node, Node]]) -> list[Node]:
    """Return a shortest cycle, its first node again at the end; an empty list where there is none.

    Examples
    --------
    >>> cycle_of([("a", "b"), ("b", "c"), ("c", "b")])
    ['b', 'c', 'b']
    """
    effects = effects_of(arrows)
    cycles = [path for start in effects if (path := _way_back(start, effects))]
    return min(cycles, key=len, default=[])


def _way_back(start: Node, effects: Mapping[Node, Sequence[Node]]) -> list[Node]:
    came: dict[Node, Node] = {}
    waiting = [start]
    for node in waiting:  # grows on the way: breadth first
        for effect in effects.get(node, ()):
            if effect == start:
                path = [start, node]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1]
            if effect not in came:
                came[effect] = node
                waiting.append(effect)
    return []


def sorted_by_cause(nodes: Sequence[int], arrows: Collection[tuple[int, int]]) -> list[int]:
    """Return the nodes with causes before effects; of those that could come next, the first one listed does.

    Examples
    --------
    >>> sorted_by_cause([0, 1, 2, 3], [(3, 0), (2, 1)])
    [2, 1, 3, 0]
    """
    rank = {node: place for place, node in enumerate(nodes)}
    causes = dict.fromkeys(nodes, 0)
    for _, effect in arrows:
        causes[effect] += 1
    effects, found = effects_of(arrows), []
    ready = [rank[node] for node in nodes if not causes[node]]
    heapify(ready)
    while ready:
        node = nodes[heappop(ready)]
        found.append(node)
        for effect in effects.get(node, ()):
            causes[effect] -= 1
            if not causes[effect]:
                heappush(ready, rank[effect])
    return found


@dataclass(frozen=True)
class CausalOrder:
    """The arrows of a table between its coders; columns that one coder learns together count as one.

    Parameters
    ----------
    units : tuple of tuple of str
        The columns of each coder.
    arrows : frozenset of (int, int)
        From coder to coder: those told, and from what a recomputed column is recomputed from to that column.
    named : frozenset of str
        The columns that the causes name.
    """

    units: tuple[tuple[str, ...], ...]
    arrows: frozenset[tuple[int, int]]
    named: frozenset[str]

    @classmethod
    def of(cls, table: Table, coder: TableCoder) -> Self | None:
        """Return the order that a table's causes give; None where it has none.

        Raises
        ------
        UserError
            If columns that are learnt together, or recomputed, make a cycle of the arrows.
        """
        if not table.causes:
            return None
        owner = {name: i for i, own in enumerate(coder.coders) for name in own.columns}
        told = {(owner[c.cause], owner[c.effect]) for c in table.causes if {c.cause, c.effect} <= set(owner)}
        follow = {(owner[need], i) for i, own in enumerate(coder.coders) for need in own.needs if need in owner}
        units = tuple(tuple(own.columns) for own in coder.coders)
        order = cls(units, frozenset((a, b) for a, b in told | follow if a != b),
                    frozenset(name for c in table.causes for name in (c.cause, c.effect)))
        order._must_have_no_cycle(frozenset(follow))
        return order

    def _must_have_no_cycle(self, follow: frozenset[tuple[int, int]]) -> None:
        cycle = cycle_of(sorted(self.arrows))
        if not cycle:
            return
        path = " -> ".join("/".join(self.units[i]) for i in cycle)
        why = [f"{_listed(self.units[i])} are learnt together and count as one" for i in dict.fromkeys(cycle)
               if len(self.units[i]) > 1]
        why += [f"{_listed(self.units[b])} is recomputed from {_listed(self.units[a])} in every row"
                for a, b in pairwise(cycle) if (a, b) in follow]
        raise UserError(f"The causes go in a circle: {path}, because {'; '.join(why)}. Take out one of these arrows, "
                        "or the constraint that joins the columns.")

    @cached_property
    def _effects(self) -> dict[int, list[int]]:
        return effects_of(sorted(self.arrows))

    @property
    def order(self) -> list[int]:
        """The coders, causes before effects; those that no arrow touches come last, so that nothing rests on them."""
        touched = {i for arrow in self.arrows for i in arrow}
        places = range(len(self.units))
        return sorted_by_cause([*(i for i in places if i in touched), *(i for i in places if i not in touched)],
                               self.arrows)

    def responding(self, unit: int) -> set[int]:
        """Return the coders whose columns respond when one of this coder's columns is set."""
        return descendants(unit, self._effects)

    @property
    def unnamed(self) -> list[str]:
        """Columns of which the causes say nothing."""
        return [name for columns in self.units for name in columns if not set(columns) & self.named]

    def unrelated(self) -> list[tuple[int, int, set[int]]]:
        """Return pairs of named coders of which neither is a cause of the other, each with all causes of the two."""
        named = [i for i, columns in enumerate(self.units) if set(columns) & self.named]
        below = {i: self.responding(i) for i in named}
        above = {i: {k for k in named if i in below[k]} for i in named}
        return [(a, b, above[a] | above[b]) for place, a in enumerate(named) for b in named[place + 1:]
                if a not in below[b] and b not in below[a]]


def in_causal_order(maker: Any, table: Table, coder: TableCoder) -> Any:
    """Return the generator so set that it learns causes before their effects.

    Parameters
    ----------
    maker : BaseGenerator
        One without a setting `order` is returned as it is.
    table : Table
        Its causes say the order; without any, the generator is returned as it is.
    coder : TableCoder

    Raises
    ------
    UserError
        If the generator was told another order.
    """
    found = CausalOrder.of(table, coder)
    if found is None or not hasattr(maker, "order"):
        return maker
    names = ["/".join(found.units[i]) for i in found.order if coder.coders[i].parts]
    if maker.order == "given" or [name for name in maker.order if name in names] == names:
        return replace(maker, order=names)
    raise UserError(f"An order ({maker.order!r}) and causes were both given; the causes say the order. Leave out the "
                    "order.")


def named_cycle(causes: Iterable[Cause]) -> str:
    """Return a cycle among the columns as ``a -> b -> a``; empty where there is none."""
    return " -> ".join(cycle_of(list(dict.fromkeys((c.cause, c.effect) for c in causes))))


def _listed(names: Sequence[str]) -> str:
    return " and ".join(map(repr, names))
