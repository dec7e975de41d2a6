"""Columns that a rule recomputes, seen as a column that is coded like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.constraints import BaseRule
from verisyn.kinds import BaseCoder, Draw, Feature
from verisyn.schema import Column


class Recomputed(BaseCoder):
    """The columns a rule recomputes, together with the one coder they are recomputed from, where there is just one.

    Then a code says all of them, and a condition on any of them is one on codes. Where they are recomputed from
    columns of several coders (a sum), `needs` names what is lacking, and the table's coder recomputes them.

    Parameters
    ----------
    rule : BaseRule
    inner : BaseCoder, optional
        The coder of the rule's only source, or of its helper.
    judged : sequence of BaseCoder
        Coders of the recomputed columns; they show them to judges, at full precision.
    """

    kind = "recomputed"

    def __init__(self, rule: BaseRule, inner: BaseCoder | None, judged: Sequence[BaseCoder]):
        self.rule, self.inner, self.judged = rule, inner, tuple(judged)
        hidden = {c.name for c in rule.helpers}
        own = inner.columns if inner else ()
        self.columns = (*(c for c in own if c not in hidden), *rule.derives)
        self.recomputed = (*(inner.recomputed if inner else ()), *rule.derives)
        self.needs = tuple(c for c in rule.sources if c not in own)
        self.parts = inner.parts if inner else ()
        self.notes = tuple(note for c in ((inner,) if inner else ()) for note in c.notes)

    @property
    def learnt(self) -> bool:
        """Recomputed columns follow from learnt ones."""
        return True

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Not learnt from columns, but put together by the table's coder."""
        raise NotImplementedError

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the codes of the source or the helper."""
        return self.inner.encode(self.rule.help(frame)) if self.inner else np.empty((frame.height, 0), np.int32)

    def decode(self, codes: np.ndarray, draw: Draw) -> pl.DataFrame:
        """Return the columns; where something is needed besides, only the helper."""
        frame = self.inner.decode(codes, draw) if self.inner else pl.DataFrame()
        return frame if self.needs else self.rule.derive(frame).select(self.columns)

    def features(self, frame: pl.DataFrame) -> list[Feature]:
        """Return all the columns at full precision."""
        hidden = {c.name for c in self.rule.helpers}
        shown = (() if self.inner is None or set(self.inner.columns) & hidden else (self.inner,))
        return [feature for coder in (*shown, *self.judged) for feature in coder.features(frame)]

    def state(self) -> dict[str, Any]:
        """Return which rule it is of, and the coders."""
        return {"derives": list(self.rule.derives), "inner": self.inner and spec(self.inner),
                "judged": [spec(c) for c in self.judged]}

    @classmethod
    def restore(cls, columns: Sequence[str], state: dict[str, Any]) -> Self:
        """Not restored alone: see :func:`restored`."""
        raise NotImplementedError


def spec(coder: BaseCoder) -> dict[str, Any]:
    """Return a coder as JSON values and arrays."""
    return {"kind": coder.kind, "columns": list(coder.columns), "state": coder.state()}


def restored(state: dict[str, Any], rules: Sequence[BaseRule]) -> BaseCoder:
    """Rebuild a coder from its :func:`spec`."""
    from verisyn import shelves

    inside = state["state"]
    if state["kind"] != Recomputed.kind:
        return shelves.kinds.take(state["kind"]).Coder.restore(state["columns"], inside)
    rule = next(r for r in rules if list(r.derives) == inside["derives"])
    return Recomputed(rule, inside["inner"] and restored(inside["inner"], rules),
                      [restored(c, rules) for c in inside["judged"]])


def joined(coders: Sequence[BaseCoder], rules: Sequence[BaseRule], judged: dict[str, BaseCoder]) -> list[BaseCoder]:
    """Join to each coder the columns that are recomputed from it alone; add the other recomputed columns at the end."""
    coders, left = list(coders), [r for r in rules if r.derives]
    while left:
        found = next(((rule, i) for rule in left for i, c in enumerate(coders) if _of(rule, c)), None)
        rule, own = found or (left[0], len(coders))
        inner = coders[own] if found else None
        coders[own: own + 1] = [Recomputed(rule, inner, [judged[c] for c in rule.derives])]
        left.remove(rule)
    return coders


def _of(rule: BaseRule, coder: BaseCoder) -> bool:
    """Whether a coder alone has what a rule recomputes from, or its helper."""
    lacks = {*coder.needs, *(coder.recomputed if coder.needs else ())}
    return set(rule.sources) <= set(coder.columns) - lacks or bool({c.name for c in rule.helpers} & set(coder.columns))
