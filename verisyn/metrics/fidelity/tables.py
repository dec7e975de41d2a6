"""Whether the rows of each table look real, whatever they point to: how alike columns are, one by one; mean of tables.

Of each table `fidelity.marginals` (the value: 1 - total variation on about ten bins, mean of columns),
`fidelity.pairs`, `fidelity.two_sample` and `fidelity.constraints` are asked at the effort `quick`; the worst of their
verdicts, at a false discovery rate of 5 % over all tables, is the verdict. Real rows are the holdout's, or, where a
table's were not held out, one fifth of the training rows. Tables of fewer than 50 rows are not judged, nor those whose
rows are the real ones (public tables). The interval takes tables for independent. The columns of the table that is
least alike are drawn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.findings import Finding, Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._apart import FAIR, GOOD
from verisyn.metrics._each_table import each_table
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._per_link import FALSE, ORDER, mean_of
from verisyn.metrics._stats import adjusted, together
from verisyn.metrics.fidelity import constraints, marginals, pairs, two_sample

title = "Do the rows of each table look real, whatever they point to?"
needs = ("links",)
best, worst = 1.0, 0.0
stand_in, floor = None, False
rule = ("the worst of the tables' verdicts (false discovery rate 5 %); good: columns alone within "
        f"{marginals.GOOD:.0%} of real rows, pairs within {pairs.GOOD:.0%}, AUC of a judge {GOOD:.2f} or "
        f"less, constraints kept but for {constraints.GOOD:.1%}; poor: beyond {marginals.FAIR:.0%}, {pairs.FAIR:.0%}, "
        f"{FAIR:.2f} or {constraints.POOR:.0%}; fair: otherwise")
references = (*marginals.references, *pairs.references, *two_sample.references)
_ASKED = ("marginals", "pairs", "two_sample", "constraints")


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Ask the four metrics of every table."""
    found, left = each_table(sides, _ASKED)
    alike = {name: told["marginals"] for name, told in found.items() if told["marginals"].value is not None}
    if not alike:
        raise NotAnswered("no table has enough rows and columns that are modelled, and rows that are not the real ones")
    value, interval = mean_of([Measure(f.value or 0.0, f.interval or (0.0, 1.0)) for f in alike.values()])
    answers = [f for told in found.values() for f in told.values() if f.p is not None]
    sure = {id(f) for f, q in zip(answers, adjusted(np.array([f.p for f in answers])), strict=True) if q <= FALSE}
    rows = sorted((_row(name, found[name], sure) for name in alike),
                  key=lambda r: (ORDER.index(r["verdict"]), r["alike"]))
    worst = alike[rows[0]["table"]]
    ceilings = [f.ceiling for f in alike.values() if f.ceiling is not None]
    return Measure(value, interval, {
        "items": [{"name": r["table"], "value": r["alike"], "reference": alike[r["table"]].ceiling,
                   "interval": list(alike[r["table"]].interval or ()), "note": _note(r)} for r in rows],
        "items_say": {"value": "how alike columns are", "reference": "real rows", "title": "Table by table"},
        "tables": [{k: v for k, v in r.items() if v is not None} for r in rows], "columns_of": rows[0]["table"],
        "columns": worst.details["columns"], "not_judged": left[:30], "_rows": rows,
        "ceiling": round(float(np.mean(ceilings)), 6) if ceilings else None,
        "_p": together([f.p for f in answers if f.p is not None])})


def _row(name: str, told: dict[str, Finding], sure: set[int]) -> dict[str, Any]:
    """What is said of one table."""
    said: list[Verdict] = ["fair" if f.verdict == "poor" and id(f) not in sure else f.verdict for f in told.values()]
    verdict = next(v for v in ORDER if v in said)
    return {"table": name, "alike": told["marginals"].value, "pairs": told["pairs"].value,
            "judge": told["two_sample"].value, "constraints": told["constraints"].value, "verdict": verdict,
            "because": next((f.reason for f, v in zip(told.values(), said, strict=True) if v == verdict), "")}


def _note(row: dict[str, Any]) -> str:
    parts = [f"pairs {row['pairs']:.1%}" if row["pairs"] is not None else "",
             f"a judge tells two rows apart in {row['judge']:.0%} of cases" if row["judge"] is not None else ""]
    return "; ".join(filter(None, parts))


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the worst table."""
    rows = measure.details["_rows"]
    verdict: Verdict = next(v for v in ORDER if any(r["verdict"] == v for r in rows))
    many = f"{len(rows)} table{'s' if len(rows) > 1 else ''}"
    said = f"The columns of {many} agree with real data to {measure.value:.1%} "
    said += f"on average (real rows reach {ceiling:.1%})" if ceiling is not None else "on average"
    return Judged(verdict, f"{said}; the worst is {rows[0]['table']!r}: {rows[0]['because']}", measure.details["_p"])
