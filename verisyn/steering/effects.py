"""What wishes did: findings that hold the steered rows beside rows drawn without the wishes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import Finding
from verisyn.metrics._pictures import picture
from verisyn.metrics._stats import effective
from verisyn.modalities.table._views import TableCoder
from verisyn.schema import Table
from verisyn.steering import Steered
from verisyn.steering import tails as lengthening
from verisyn.steering.shares import Kinds

SIDES = {"real": "without the wishes", "fake": "with them"}
MOST_DRAWN = 20


Real = tuple[pl.DataFrame | None, pl.DataFrame | None]
"""Rows that the model learnt from, and rows that it never saw, where they are at hand."""


def effects(steered: Steered, before: pl.DataFrame, real: Real, table: Table, coder: TableCoder) -> list[Finding]:
    """Return a finding for each wish, and last one that shows all columns before and after.

    Parameters
    ----------
    steered : Steered
        The rows that were drawn.
    before : DataFrame
        Rows of the same model without the wishes.
    real : pair of DataFrame
        What models trained on fair rows are tested on.
    table : Table
    coder : TableCoder
    """
    wishes, found = steered.wishes, list[Finding]()
    if wishes.fair:
        found.append(_fairness(steered, before, real, table, coder))
    if steered.kinds:
        found.append(_shares(steered.kinds))
    if wishes.targets:
        found.append(wishes.targets.finding(before, steered.frame))
    if wishes.do:
        found.append(wishes.do.finding(before, steered.frame))
    if steered.tails:
        found.append(lengthening.finding(steered.tails, steered.frame))
    return [*found, _rows(steered, before, coder)]


def _rows(steered: Steered, before: pl.DataFrame, coder: TableCoder) -> Finding:
    columns = sorted(before_after(before, steered.frame, coder), key=lambda c: c["value"])
    moved = [c["name"] for c in columns if c["value"] < 0.95][:5]
    said = f"{steered.frame.height:,} rows were drawn. "
    if given := steered.wishes.given:
        share = float(given.holds(before).mean())
        said += f"All of them meet {given.text!r}; without the wish {share:.2%} do. "
    names = ", ".join(map(repr, moved))
    said += f"Most changed: {names}." if moved else "No column's distribution moved by 5 % or more."
    return Finding("steering.rows", "How do the rows differ from those the model draws by itself?", "good", said,
                   "good: every row is what was wished for; what cannot be is refused",
                   details={"sides": SIDES, "columns": columns[:MOST_DRAWN]},
                   definition="The figure beside a column is 1 less the total variation between the two histograms.")


def _fairness(steered: Steered, before: pl.DataFrame, real: Real, table: Table, coder: TableCoder) -> Finding:
    """Return whether models trained on the rows are fairer on real ones; that takes real rows of both kinds."""
    from verisyn.steering.fair_finding import NAME, RULE, TITLE, Tables, fairness_finding

    train, holdout = real
    wish = steered.wishes.fair
    assert wish is not None
    if train is None or holdout is None:
        return Finding(NAME, TITLE, "not answered", "Not answered, because there are no real rows to test models on: "
                       "'verisyn synth --steer' has them.", RULE)
    if given := steered.wishes.given:
        before, train, holdout = (side.filter(given.holds(side)) for side in (before, train, holdout))
    return fairness_finding(Tables(steered.frame, before, train, holdout), table, wish, coder=coder)


def before_after(before: pl.DataFrame, after: pl.DataFrame, coder: TableCoder) -> list[dict[str, Any]]:
    """Return each modelled column's histogram on both sides; `value` is 1 less their total variation."""
    told = []
    left_out = [pl.lit(None, before[name].dtype).alias(name) for name in before.columns if name not in after.columns]
    after = after.with_columns(left_out).select(before.columns)
    for one, other in zip(coder.features(before), coder.features(after), strict=True):
        drawn = picture(one, other)
        real, fake = ([*drawn[side], drawn[f"missing_{side}"]] for side in ("real", "fake"))
        apart = 0.5 * float(np.abs(np.subtract(real, fake)).sum())
        told.append({**drawn, "value": round(max(0.0, 1 - apart), 6)})
    return told


def _shares(kinds: Kinds) -> Finding:
    weights, worth = kinds.weights, effective(kinds.weights)
    rows = [{"rows_of": stratum.name, "without": float(usual), "wished": stratum.share,
             "got": float((kinds.of == i).mean()), "weight": float(weights[kinds.of == i].mean())}
            for i, (stratum, usual) in enumerate(zip(kinds.strata, kinds.usual, strict=True)) if (kinds.of == i).any()]
    items = [{"name": r["rows_of"], "value": r["got"], "reference": r["without"], "note": f"weight {r['weight']:.4g}"}
             for r in rows]
    back = "The weights bring the model's own shares back."
    said = "; ".join(f"{r['rows_of']}: {r['without']:.2%} became {r['got']:.2%}" for r in rows[:4])
    return Finding("steering.shares", "Are the shares what was wished for?", "good",
                   f"{said}. {kinds.lost or back} Weighted, the rows count as {worth:,.0f} of {len(weights):,}.",
                   "good: every share is met to the row", details={
                       "shares": rows, "items": items, "effective_rows": worth,
                       "items_say": {"value": "share of rows", "reference": "without the wish", "lead": ""}},
                   definition="A row's weight is how often the model draws its kind, by how often it is here. "
                              "Effective rows: (sum of weights)² / sum of their squares (Kish 1965).",
                   references=("https://doi.org/10.1002/bimj.19680100122",))
