"""A database's tables in layers: parents above their children, few crossings, lines as straight as they can be.

The steps are those of Sugiyama, Tagawa and Toda (1981, https://doi.org/10.1109/TSMC.1981.4308636): layers of bounded
width, an order within each by the mean place of the neighbours, then places by least squares. A line that passes a
layer has a place of its own in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

Node = tuple[int, str]
"""A table ``(-1, its name)``, or the place in which the line of link `i` passes a layer: ``(i, "layer")``."""
_SWEEPS = 12


@dataclass
class Layers:
    """Tables and passing lines of each layer from left to right, the uppermost layer first."""

    rows: list[list[Node]]
    above: dict[Node, list[Node]] = field(default_factory=lambda: defaultdict(list))
    below: dict[Node, list[Node]] = field(default_factory=lambda: defaultdict(list))


def ranks(names: Sequence[str], pairs: Sequence[tuple[str, str]], most: int) -> dict[str, int]:
    """Return the layer of each table, 0 the uppermost; a layer holds at most `most` tables.

    Parameters
    ----------
    names : sequence of str
    pairs : sequence of (str, str)
        A child and its parent. A pair that closes a circle is left out of account.
    most : int

    Examples
    --------
    >>> ranks(["lines", "orders", "people"], [("lines", "orders"), ("orders", "people"), ("lines", "people")], 4)
    {'lines': 2, 'orders': 1, 'people': 0}
    """
    children: dict[str, set[str]] = defaultdict(set)
    parents: dict[str, set[str]] = defaultdict(set)
    linked: set[str] = set()
    for child, parent in pairs:
        if child != parent and child not in _ancestors(parent, parents):
            children[parent].add(child)
            parents[child].add(parent)
            linked |= {child, parent}
    height = {name: _height(name, parents) for name in names}
    todo, level, held = [n for n in names if n in linked], dict[str, int](), defaultdict[int, int](int)
    while todo:  # from the lowest layer upwards; of those that may be placed, the one with the most above it
        ready = [n for n in todo if children[n] <= level.keys()]
        name = max(ready, key=lambda n: (height[n], len(children[n]) + len(parents[n]), -names.index(n)))
        place = max((level[c] + 1 for c in children[name]), default=0)
        while held[place] >= most:
            place += 1
        level[name] = place
        held[place] += 1
        todo.remove(name)
    top = max(level.values(), default=-1)
    alone = [n for n in names if n not in linked]
    return {name: top - place for name, place in level.items()} | {n: top + 1 + i // most for i, n in enumerate(alone)}


def _ancestors(name: str, parents: Mapping[str, set[str]]) -> set[str]:
    found, todo = {name}, [name]
    while todo:
        new = set(parents.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found


def _height(name: str, parents: Mapping[str, set[str]]) -> int:
    """Return how many tables stand above a table on its longest way up."""
    level, here = 0, {name}
    while here := {p for n in here for p in parents.get(n, ())}:
        level += 1
    return level


def layered(rank: Mapping[str, int], pairs: Sequence[tuple[str, str]]) -> Layers:
    """Put tables in the order of their layers and let long lines pass those between."""
    made = Layers([[] for _ in range(max(rank.values()) + 1)])
    for name, place in rank.items():
        made.rows[place].append((-1, name))
    for i, (child, parent) in enumerate(pairs):
        (low, under), (high, over) = sorted(((rank[child], child), (rank[parent], parent)), reverse=True)
        chain = [(-1, over), *((i, str(k)) for k in range(high + 1, low)), (-1, under)]
        for k in range(high + 1, low):
            made.rows[k].append((i, str(k)))
        for a, b in pairwise(chain) if low > high else ():  # a table may point to itself
            made.below[a].append(b)
            made.above[b].append(a)
    return _ordered(made)


def _ordered(layers: Layers) -> Layers:
    """Order each layer by the mean place of the neighbours, up and down; keep the order with the fewest crossings."""
    best = (_crossings(layers), [list(row) for row in layers.rows])
    for sweep in range(_SWEEPS):
        near, rows = (layers.above, layers.rows) if sweep % 2 == 0 else (layers.below, layers.rows[::-1])
        for row in rows:
            at = _places(layers)
            row.sort(key=lambda n: np.mean([at[m] for m in near[n]]) if near[n] else at[n])
        best = min(best, (_crossings(layers), [list(row) for row in layers.rows]), key=lambda b: b[0])
    layers.rows[:] = best[1]
    return layers


def _places(layers: Layers) -> dict[Node, float]:
    return {node: (i + 0.5) / len(row) for row in layers.rows for i, node in enumerate(row)}


def _crossings(layers: Layers) -> int:
    at, found = _places(layers), 0
    for row in layers.rows:
        ends = sorted((at[a], at[b]) for a in row for b in layers.below[a])
        found += sum(ends[j][1] < ends[i][1] for i in range(len(ends)) for j in range(i + 1, len(ends)))
    return found


def spread(layers: Layers, width: Mapping[str, float], gap: float, whole: float) -> dict[Node, float]:
    """Return the middle of every node: close to its neighbours' mean, at least `gap` apart, within ``0..whole``."""
    sizes = {node: width[node[1]] if node[0] < 0 else 4.0 for row in layers.rows for node in row}
    whole = max([whole, *(sum(sizes[n] + gap for n in row) - gap for row in layers.rows)])
    at = {node: whole * (i + 0.5) / len(row) for row in layers.rows for i, node in enumerate(row)}
    for sweep in range(4 * _SWEEPS):
        for row in layers.rows if sweep % 2 == 0 else layers.rows[::-1]:
            wish = np.array([np.mean([at[m] for m in (*layers.above[n], *layers.below[n])] or [at[n]]) for n in row])
            steps = [(sizes[a] + sizes[b]) / 2 + gap for a, b in pairwise(row)]
            offset = np.concatenate([[0.0], np.cumsum(steps)])
            least, most = sizes[row[0]] / 2, whole - sizes[row[-1]] / 2 - offset[-1]
            weight = np.array([1.0 if n[0] < 0 else 4.0 for n in row])
            for node, z in zip(row, np.clip(_rising(wish - offset, weight), least, most) + offset, strict=True):
                at[node] = float(z)
    return at


def _rising(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the rising numbers nearest to `values` by weighted least squares (pool adjacent violators)."""
    pools: list[list[float]] = []
    for value, w in zip(values, weight, strict=True):
        pools.append([value, w, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            v, u, n = pools.pop()
            a, b, m = pools[-1]
            pools[-1] = [(a * b + v * u) / (b + u), b + u, m + n]
    return np.concatenate([[v] * int(n) for v, _, n in pools])
