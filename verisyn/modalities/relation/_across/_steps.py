"""The steps in which the tables of a database are settled, each after those whose columns it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verisyn.modalities.relation._across._between import BaseBetween
from verisyn.modalities.relation._across._orders import Order
from verisyn.modalities.relation._across._within import Within

Cell = tuple[str, str]
"""A table and a column of it."""


@dataclass(frozen=True)
class Step:
    """What sets one column: a rule, or all orders of the column; or what a table's own rules compute (`within`)."""

    table: str
    rules: tuple[BaseBetween, ...] = ()
    within: Within | None = None

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders that it mends together."""
        return tuple(r for r in self.rules if isinstance(r, Order))

    @property
    def writes(self) -> set[Cell]:
        """What it sets."""
        if self.within is not None:
            return {(self.table, c) for r in self.within.derive for c in r.derives}
        return {r.writes for r in self.rules}

    @property
    def reads(self) -> set[Cell]:
        """What it is computed from."""
        if self.within is not None:
            return {(self.table, c) for r in self.within.derive for c in r.sources}
        return {cell for r in self.rules for cell in r.reads}


def planned(rules: Iterable[BaseBetween], withins: Iterable[Within]
            ) -> tuple[tuple[Step, ...], tuple[BaseBetween, ...]]:
    """Return the steps in turn, and the rules that cannot be kept, for another sets their column.

    A circle is opened where it is first met; the steps are taken again until nothing changes.
    """
    setters: dict[Cell, BaseBetween] = {}
    orders: dict[Cell, list[BaseBetween]] = {}
    spare: list[BaseBetween] = []
    for rule in rules:
        if isinstance(rule, Order):
            orders.setdefault(rule.writes, []).append(rule)
        elif rule.writes in setters:
            spare.append(rule)
        else:
            setters[rule.writes] = rule
    steps = [Step(r.writes[0], (r,)) for r in setters.values()]
    for cell, together in orders.items():
        if cell in setters:
            spare += together
        else:
            steps.append(Step(cell[0], tuple(together)))
    steps += [Step(w.table, within=w) for w in withins if w.derive]
    return tuple(_in_turn(steps)), tuple(spare)


def _in_turn(steps: Sequence[Step]) -> list[Step]:
    """Depth first: whatever sets what a step reads comes before it."""
    done: list[Step] = []
    begun: set[int] = set()

    def visit(i: int) -> None:
        if i in begun:
            return
        begun.add(i)
        for j, other in enumerate(steps):
            if j != i and other.writes & steps[i].reads:
                visit(j)
        done.append(steps[i])

    for i in range(len(steps)):
        visit(i)
    return done


def children_first(rules: Iterable[BaseBetween]) -> list[str]:
    """The tables that rules speak of, each after its children, as far as there is no circle."""
    links = [r.link for r in rules]
    done: dict[str, None] = {}
    begun: set[str] = set()

    def visit(table: str) -> None:
        if table not in begun:
            begun.add(table)
            for link in links:
                if link.parent == table:
                    visit(link.table)
            done[table] = None

    for link in links:
        visit(link.parent)
    return list(done)
