"""From a method's cells to whole rows: new ids and personal data, the constraints of the schema, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from verisyn.augmentations import BaseMethod, Made, Wanted
from verisyn.augmentations._planning import planned
from verisyn.augmentations._real import Real
from verisyn.constraints._rules import Ledger
from verisyn.kinds import Draw


def made(method: BaseMethod, real: Real, wanted: Wanted, seed: np.random.SeedSequence) -> Made:
    """Derive rows, and see to everything that is no method's own."""
    plan_rng, derive_rng, invent_rng, settle_rng = (np.random.default_rng(s) for s in seed.spawn(4))
    plan = planned(method, real, wanted, plan_rng)
    derived = method.derive(real, plan.base, derive_rng)
    more = [c for c in derived.columns if c not in real.frame.columns]
    rows = pl.concat([derived.drop(more), *_invented(real, plan.base, invent_rng)], how="horizontal")
    ledger = Ledger()
    frame = _settled(real, rows, ledger, settle_rng)
    copies = same_as_real(real, frame)
    notes = (*plan.notes, *_told(copies, frame.height), *ledger.notes())
    return Made(frame.with_columns(derived[c] for c in more), notes, copies=copies)


def _invented(real: Real, base: np.ndarray, rng: np.random.Generator) -> Sequence[pl.DataFrame]:
    """Ids, personal data and free text, made anew; a value that many rows share has one stand-in, as in synthesis."""
    personas = rng.integers(0, 2**62, len(base))
    own = real.frame[base]
    return [coder.decode(coder.encode(own), Draw(rng, personas)) for coder in real.invented]


def _settled(real: Real, rows: pl.DataFrame, ledger: Ledger, rng: np.random.Generator) -> pl.DataFrame:
    rules = real.coder.rules
    frame = rules.settle(rows, rng, ledger).select(real.coder.columns)
    return rules.finish(_looked_up(real, frame), rng, ledger)


def _looked_up(real: Real, frame: pl.DataFrame) -> pl.DataFrame:
    """Where all that a column is recomputed from is as in a real row, the column is too.

    A dependency is learnt from values that a few rows share; what goes with a rarer one, its real rows know.
    """
    for rule in real.coder.rules.rules:
        if not rule.derives or rule.helpers:
            continue
        told = {c: f"\0{c}" for c in rule.derives}
        known = real.rows.select(*rule.sources, *told).unique(rule.sources, keep="first", maintain_order=True)
        found = frame.select(rule.sources).join(known.rename(told).with_columns(pl.lit(True).alias("\0known")),
                                                on=rule.sources, how="left", nulls_equal=True, maintain_order="left")
        same = found["\0known"].fill_null(False)
        trial = frame.with_columns(found[t].zip_with(same, frame[c]).alias(c) for c, t in told.items())
        good = same & ~pl.Series(real.coder.rules.broken_rows(trial))
        frame = frame.with_columns(trial[c].zip_with(good, frame[c]) for c in told)
    return frame


def same_as_real(real: Real, frame: pl.DataFrame) -> int:
    """Count the rows that are the same as a real one in every learnt column."""
    names = [c for c in real.coder.columns if c not in {n for coder in real.invented for n in coder.columns}]
    if not names:
        return 0
    return frame.select(names).join(real.rows.select(names).unique(), on=names, how="semi", nulls_equal=True).height


def _told(copies: int, rows: int) -> list[str]:
    return [f"{copies:,} of {rows:,} derived rows are the same as a real row in every learnt column."] if copies else []
