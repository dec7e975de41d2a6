"""Roots, and what belongs to them, under conditions on any of their tables."""

from __future__ import annotations

import numpy as np
import polars as pl

from verisyn.conditions import Condition, allowed_codes
from verisyn.drawing import Batch, child
from verisyn.errors import UserError
from verisyn.modalities.relation import _hidden
from verisyn.modalities.relation._growing import Growing
from verisyn.modalities.relation._owned import Owned
from verisyn.modalities.relation._rows import Rows
from verisyn.modalities.relation._staged import Staged
from verisyn.modalities.relation._tables import Root
from verisyn.modalities.relation._wishes import Wishes
from verisyn.modalities.table import Allowed

_AT = "\0at "
"""Begins the names of columns that hold the row that a candidate points to."""
_BATCH, _AGAIN = 2**28, 2**29
_LEAST, _MOST, _GIVE_UP = 500, 20_000, 60
"""Roots drawn at a time at least and at most; batches without a single fit one before it is given up."""


def grown(growing: Growing, root: str, wishes: Wishes, seed: np.random.SeedSequence) -> Rows:
    """Draw the rows of a root and all that belongs to them, as wished.

    Under a condition on an owned table, roots are accepted in proportion to the share of their rows there that meet it
    (one without such rows, in proportion to the mean share), and these rows are drawn again so that all of them do.
    """
    rows, number = wishes.sizes[root], growing.structure.order.index(root)
    tables = [t for t in growing.under(root) if t in wishes.given]
    if not tables:
        return _plain(growing, root, rows, wishes, child(seed, number))
    out, got, batch = Rows(growing.structure), 0, 0
    size = int(np.clip(rows, _LEAST, _MOST))
    rng = np.random.default_rng(child(seed, number))
    while got < rows:
        own = child(child(seed, number), _BATCH + batch)
        drawn = _plain(growing, root, size, wishes, own)
        fit = np.ones(size)
        for table in tables:
            fit *= _fitness(growing, drawn, root, table, wishes.given[table])
        accepted = np.flatnonzero(rng.random(size) < fit)[:rows - got]
        drawn.take(root, accepted)
        for table in tables:
            _again(growing, drawn, table, wishes.given[table], child(own, _AGAIN))
        out.join(drawn)
        got, batch = got + len(accepted), batch + 1
        if batch >= _GIVE_UP * (1 if not got else 50):
            raise UserError(f"The condition {wishes.given[tables[0]].text!r} on {tables[0]!r} is practically never "
                            f"met: of {batch * size:,} rows of {root!r} drawn, {got:,} have such rows. Loosen it.")
    return out


def _plain(growing: Growing, root: str, rows: int, wishes: Wishes, seed: np.random.SeedSequence) -> Rows:
    """Draw roots, under a condition of their own, and what belongs to them."""
    out = Rows(growing.structure)
    if root in wishes.given:
        _conditional(growing, out, root, rows, wishes.given[root], seed)
    else:
        growing.root(out, root, rows, seed)
    growing.below(out, root, seed)
    return out


def _conditional(growing: Growing, out: Rows, root: str, rows: int, condition: Condition, seed: np.random.SeedSequence
                 ) -> None:
    """Draw rows of a root that meet a condition, from the model's conditional distribution."""
    home: Root = growing.learnt.tables[root]
    drawing = home.drawing(0, growing.jobs)
    _known(condition, home.coder.columns, home.table.name)
    allowed = allowed_codes(condition, home.coder, np.random.default_rng(0))

    def source(count: int, rng: np.random.Generator) -> Batch:
        if not isinstance(home.fitted, Staged):
            return Batch(*home.fitted.sample(count, rng, allowed or None), pl.DataFrame())
        return _pointed(growing, root, home.fitted, count, rng, allowed)

    def unmet(drawn: int, got: int) -> UserError:
        return UserError(f"The condition {condition.text!r} on {home.table.name!r} is practically never met: {got:,} "
                         f"of {drawn:,} rows drawn for it do. Loosen it.")

    if any(not mask.any() for mask in allowed.values()):
        raise unmet(rows, 0)
    frame, _ = drawing.accepted(rows, source, lambda f, _: condition.holds(f), seed, pilot=drawing.pilot(source, seed),
                                tick=lambda done: None, unmet=unmet)
    for link in growing.links(root):
        if _AT + link.name in frame.columns:
            out.at[link.name] = frame[_AT + link.name].to_numpy()
    out.frames[root] = _hidden.numbered(frame.drop(c for c in frame.columns if c.startswith(_AT)), rows)


def _pointed(growing: Growing, root: str, fitted: Staged, count: int, rng: np.random.Generator, allowed: Allowed
             ) -> Batch:
    """Draw candidates that know where they point; that is settled before they are decoded."""
    home: Root = growing.learnt.tables[root]
    codes, mass = fitted.first.sample(count, rng, {j: m for j, m in allowed.items() if j < fitted.cut} or None)
    some = Rows(growing.structure)
    heads = home.first.decode(codes, np.random.SeedSequence(int(rng.integers(2**62))))
    some.frames[root] = _hidden.numbered(heads, count)
    told = growing.pointed(some, root, rng, settle=False)
    codes, more = fitted.follow(home.first.encode(heads).values, told, rng, allowed or None)
    settled = heads.select(c for c in home.heads if not c.startswith(_hidden.MARK))
    return Batch(codes, mass + more, settled.with_columns(pl.Series(_AT + n, at) for n, at in some.at.items()))


def _seen(growing: Growing, rows: Rows, table: str, condition: Condition) -> pl.DataFrame:
    """Return the rows of a table with the columns that they copy from their owners."""
    frame = rows.frames[table]
    for name in sorted({c for clause in condition.conjuncts for c in clause.columns} - set(frame.columns)):
        at, holder, column = np.arange(frame.height), table, name
        while column not in rows.frames[holder].columns:
            source = growing.learnt.rules.source(holder, column)
            if source is None or source[0] != growing.structure.owner.get(holder):
                _known(condition, frame.columns, table)
            link, column = source  # type: ignore[misc]
            at, holder = rows.at[link.name][at], link.parent
        frame = frame.with_columns(rows.frames[holder][column][at].alias(name))
    return frame


def _known(condition: Condition, columns: object, table: str) -> None:
    """Refuse a condition on columns that are not learnt."""
    for name in sorted({c for clause in condition.conjuncts for c in clause.columns}):
        if name not in columns:  # type: ignore[operator]
            raise UserError(f"The condition {condition.text!r} on {table!r} names {name!r}, which is made anew, or "
                            "follows from other tables, when all rows are there. Give a condition on another column.")


def _fitness(growing: Growing, rows: Rows, root: str, table: str, condition: Condition) -> np.ndarray:
    """Return the share of each root's rows of a table that meet the condition."""
    meets = condition.holds(_seen(growing, rows, table, condition))
    at, holder = np.arange(len(meets)), table
    while holder != root:
        link = growing.structure.owner[holder]
        at, holder = rows.at[link.name][at], link.parent
    roots = rows.frames[root].height
    count, met = np.bincount(at, minlength=roots), np.bincount(at, meets.astype(float), roots)
    usual = float(np.divide(met, count, where=count > 0, out=np.zeros(roots))[count > 0].mean()) if count.any() else 0.0
    return np.divide(met, count, where=count > 0, out=np.full(roots, usual))


def _again(growing: Growing, rows: Rows, table: str, condition: Condition, seed: np.random.SeedSequence) -> None:
    """Draw the rows of a table again, all of which meet the condition, and what belongs to them."""
    home: Owned = growing.learnt.tables[table]
    within = home.within(condition)
    rows.drop(growing.under(table))
    if any(within) and all(mask.any() for allowed in within for mask in allowed.values()):
        growing.owned(rows, table, seed, within)
    rows.take(table, np.flatnonzero(condition.holds(_seen(growing, rows, table, condition))))
    growing.below(rows, table, seed)
