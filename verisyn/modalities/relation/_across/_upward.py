"""``total``, ``mean``, ``extreme``, ``count``: the parent's column follows from its children."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from verisyn.constraints import _arithmetic, _columns
from verisyn.errors import UserError
from verisyn.kinds import _dtypes as dtypes
from verisyn.modalities.relation._across._between import BaseBetween, Pair, checked
from verisyn.modalities.relation._across._numbers import aggregated, close, whole_or_float
from verisyn.schema import Constraint, Link, Schema

CHILDLESS = ("zero", "missing", "as drawn")
"""What the column of a parent without children may be."""


@dataclass(frozen=True)
class Upward(BaseBetween):
    """A column of the parent, computed from its children's; theirs that are missing do not count.

    Parameters
    ----------
    dtype : dict
        The column's type.
    form : str, optional
        The format of moments written as text.
    decimals : int, optional
        What it is rounded to; None where values keep to no decimals.
    """

    up = True
    knows: ClassVar = {"share": (float, int), "childless": (str,)}

    dtype: dict[str, Any]
    form: str | None = None
    decimals: int | None = None

    @classmethod
    def learn(cls, link: Link, constraint: Constraint, pair: Pair, schema: Schema) -> Self:
        """Learn the type and the decimals of the parent's column."""
        said = checked(cls, link, constraint, schema).get("childless", "zero")
        if said not in CHILDLESS:
            raise UserError(f"The setting 'childless' of the constraint {constraint.kind!r} of the link {link.name!r} "
                            f"is {said!r}, but one of {', '.join(map(repr, CHILDLESS))} is expected.")
        above = schema.of(link.parent).column(constraint.columns[-1])
        series = pair.parent[above.name]
        rule = cls(link, constraint, dtypes.to_json(series.dtype), above.settings.get("format"),
                   _columns.lattice(series).decimals if series.dtype.is_numeric() else 0)
        rule._check(pair)
        return rule

    def _check(self, pair: Pair) -> None:
        """Refuse columns that cannot be computed with."""
        for name, frame in (*((n, pair.child) for n in self.own), (self.above, pair.parent)):
            if not frame[name].dtype.is_numeric():
                raise UserError(f"The constraint {self.constraint.kind!r} of the link {self.link.name!r} needs "
                                f"numbers, but {name!r} holds {frame[name].dtype}. Correct it in the schema.")

    @property
    def exact(self) -> bool:
        """Whether the column of parents without children follows too."""
        return self.constraint.settings.get("childless", self.expected) != "as drawn"

    expected: ClassVar[str] = "zero"

    def computed(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Return the value of each parent's children, as physical numbers before rounding, and which have one."""
        raise NotImplementedError

    def broken(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Parents whose column differs from what their children say by more than half a unit of its last decimal."""
        there = pair.parent[self.above]
        there = there if there.dtype.is_numeric() else _columns.plain(there, self.form)
        values, have = self.computed(pair)
        able = (pair.counts > 0) & have
        return able, able & ~close(there, values, self.decimals)

    def settle(self, pair: Pair, rng: np.random.Generator) -> pl.Series:
        """The computed value; for a parent without children zero, missing, or as it was drawn."""
        values, have = self.computed(pair)
        like = pl.Series(self.above, [], dtype=dtypes.from_json(self.dtype))
        like = pair.parent[self.above].cast(like.dtype, strict=False) if self.above in pair.parent.columns else like
        whole = values.dtype == np.int64
        plain = pl.Series(self.above, values if whole or self.decimals is None else np.round(values, self.decimals))
        if not whole and (like.dtype.is_integer() or not like.dtype.is_numeric()):
            plain = plain.round(0)
        out = _as(plain, like, self.form).alias(self.above)
        childless = self.constraint.settings.get("childless", self.expected)
        if childless == "zero":
            return out
        drawn = like if childless == "as drawn" and len(like) else pl.Series([None] * len(out), dtype=like.dtype)
        return out.zip_with(pl.Series(have), drawn.cast(out.dtype)).alias(self.above)


def _as(plain: pl.Series, like: pl.Series, form: str | None) -> pl.Series:
    """Computed numbers in the type of a column; in a wider one, rather than none, where they do not fit into it."""
    if not like.dtype.is_numeric():
        return _columns.typed(plain, like, form)
    out = plain.cast(like.dtype, strict=False)
    return plain if out.null_count() > plain.null_count() else out


@dataclass(frozen=True)
class Total(Upward):
    """The sum of a column of the children, or of a formula over several, perhaps rounded line by line."""

    needs = (2, "columns of the child and the one of its parent that is their sum")
    knows: ClassVar = {**Upward.knows, "of": (str,), "lines": (int,)}
    how: ClassVar[str] = "sum"

    def _check(self, pair: Pair) -> None:
        """Refuse what are no numbers, and several columns without a formula."""
        super()._check(pair)
        if len(self.own) > 1 and "of" not in self.constraint.settings:
            raise UserError(f"The constraint {self.constraint.kind!r} of the link {self.link.name!r} names several "
                            f"columns of {self.link.table!r} but lacks the setting 'of', such as: price * quantity.")
        _arithmetic.read(self._formula, self.own)

    @property
    def _formula(self) -> str:
        return str(self.constraint.settings.get("of", _arithmetic.name(self.own[0])))

    @property
    def sentence(self) -> str:
        """What holds."""
        word = "total" if self.how == "sum" else "mean"
        return f"{self.link.parent}.{self.above} is the {word} of {self._formula} over its rows of {self.link.table}"

    def computed(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """The sum or the mean of the formula."""
        if self._formula == _arithmetic.name(self.own[0]):
            lines = pair.child[self.own[0]]
        else:
            lines = pair.child.select(_arithmetic.read(self._formula, self.own)[0]).to_series()
        if (decimals := self.constraint.settings.get("lines")) is not None:
            lines = lines.round(decimals)
        return aggregated(*whole_or_float(lines), pair, self.how)


@dataclass(frozen=True)
class Mean(Total):
    """The mean of a column of the children, or of a formula over several."""

    needs = (2, "columns of the child and the one of its parent that is their mean")
    how: ClassVar[str] = "mean"
    expected: ClassVar[str] = "missing"


@dataclass(frozen=True)
class Count(Upward):
    """The number of children."""

    needs = (1, "the column of the parent that is the number of its children")
    knows: ClassVar = {"share": (float, int)}

    @property
    def exact(self) -> bool:
        """It follows for every parent."""
        return True

    @property
    def sentence(self) -> str:
        """What holds."""
        return f"{self.link.parent}.{self.above} is the number of its rows of {self.link.table}"

    def computed(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """How many children there are."""
        return pair.counts.astype(np.int64), np.ones(pair.parent.height, bool)

    def broken(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Parents with another number of children."""
        there = pair.parent[self.above]
        return np.ones(len(there), bool), ~close(there, pair.counts.astype(np.int64), 0)


@dataclass(frozen=True)
class Extreme(Upward):
    """The least or the greatest number, the first or the last moment."""

    needs = (2, "a column of the child and the one of its parent that is the first or the last of it")
    knows: ClassVar = {**Upward.knows, "which": (str,)}
    expected: ClassVar[str] = "missing"

    below: str | None = None

    @classmethod
    def learn(cls, link: Link, constraint: Constraint, pair: Pair, schema: Schema) -> Self:
        """Learn the types."""
        plain = super().learn(link, constraint, pair, schema)
        form = schema.of(link.table).column(constraint.columns[0]).settings.get("format")
        return replace(plain, below=form)

    def _check(self, pair: Pair) -> None:
        """Refuse another extreme than the two there are."""
        if self._which not in ("least", "greatest") or pair.parent[self.above].dtype == pl.Boolean:
            raise UserError(f"The setting 'which' of the constraint 'extreme' of the link {self.link.name!r} is "
                            f"{self._which!r}, but 'least' or 'greatest' is expected, of numbers or of moments.")

    @property
    def _which(self) -> str:
        return str(self.constraint.settings.get("which", "greatest"))

    @property
    def sentence(self) -> str:
        """What holds."""
        number = dtypes.from_json(self.dtype).is_numeric()
        word = self._which if number else {"least": "first", "greatest": "last"}[self._which]
        return f"{self.link.parent}.{self.above} is the {word} {self.own[0]} of its rows of {self.link.table}"

    def computed(self, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """The least or the greatest, as the parent's type keeps it."""
        own = _columns.parsed(pair.child[self.own[0]], self.below)
        like = _columns.parsed(pl.Series([], dtype=dtypes.from_json(self.dtype)), self.form).dtype
        own = own if like.is_numeric() else own.cast(like, strict=False).to_physical()
        return aggregated(*whole_or_float(own), pair, self._which)


KINDS: dict[str, type[Upward]] = {"count": Count, "extreme": Extreme, "mean": Mean, "total": Total}
