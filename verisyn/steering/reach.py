"""Who responds when a column is set: its effects where causes are known, else what is drawn after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from verisyn.causality.graph import CausalOrder
from verisyn.drawing import Drawing
from verisyn.errors import UserError
from verisyn.modalities.table._views import TableCoder
from verisyn.steering.settings import Setting


@dataclass(frozen=True)
class Reach:
    """Which coders respond when a column is set, by the column.

    Parameters
    ----------
    of : dict
        The numbers of the coders whose columns respond.
    causal : bool
        Whether these are effects by causes that a person gave; else they are all that is drawn after the column.
    unnamed : frozenset of str
        Columns of which the causes say nothing.
    """

    of: Mapping[str, frozenset[int]]
    causal: bool
    unnamed: frozenset[str] = frozenset()

    @classmethod
    def of_settings(cls, settings: Sequence[Setting], drawing: Drawing) -> Self:
        """Return who responds to each of some settings."""
        order, coders = CausalOrder.of(drawing.table, drawing.coder), list(enumerate(drawing.coder.coders))
        if order:
            found = cls({s.column: frozenset(order.responding(next(i for i, c in coders if c is s.coder)))
                         for s in settings}, True, frozenset(order.unnamed))
            found._must_follow(settings, drawing)
            return found
        place = {name: at for at, name in enumerate(columns_in_order(drawing))}
        return cls({s.column: frozenset(i for i, c in coders if c is not s.coder and c.columns
                                        and place[c.columns[0]] > place[s.column]) for s in settings}, False)

    def _must_follow(self, settings: Sequence[Setting], drawing: Drawing) -> None:
        """Refuse a generator that draws effects before their causes."""
        turn = {part: turn for turn, part in enumerate(drawing.fitted.order)}
        for s in settings:
            parts = self.parts(drawing.coder, s.column)
            if parts and min(turn[p] for p in parts) < max(turn[p] for p in s.parts):
                raise UserError(f"The model's generator does not draw the effects of {s.column!r} after it, so how "
                                "they respond is not known. Fit with the generator table.trees, which learns in the "
                                "order of the causes.")

    def columns(self, coder: TableCoder, column: str | None = None) -> list[str]:
        """Return the columns that respond to one that is set, or to any, in the table's order; what is made anew, such
        as an id, responds to nothing."""
        units = self.of[column] if column is not None else frozenset().union(*self.of.values())
        own = [coder.coders[i] for i in units]
        found = {name for c in own for name in c.columns if c.learnt or name in c.recomputed}
        return [name for name in coder.columns if name in found]

    def parts(self, coder: TableCoder, column: str) -> list[int]:
        """Return the parts that respond to a column."""
        return [part for i, (_, where) in enumerate(coder.slices()) if i in self.of[column]
                for part in range(where.start, where.stop)]


def columns_in_order(drawing: Drawing) -> list[str]:
    """Return the columns in the order in which they are drawn; those without parts come last."""
    turn = {part: turn for turn, part in enumerate(drawing.fitted.order)}
    first = {name: min((turn[part] for part in range(where.start, where.stop)), default=len(turn))
             for coder, where in drawing.coder.slices() for name in coder.columns}
    return sorted(first, key=lambda name: first[name])
