"""Whether the rows of any table copy real rows, whatever they point to: the share in the table with the most.

`privacy.copies` is asked of each table of which rows were held out, at the effort `quick`: rows equal to a training
row that fewer than five training rows equal, rows very near one, and texts that should be made afresh, all beyond the
rate at which held-out rows coincide. Tables of fewer than 50 rows are not judged, nor those whose rows are the real
ones (public tables). The value and its interval are those of the table whose verdict is worst, and of these the one
with the most beyond it. The false discovery rate is controlled over tables.
"""

from __future__ import annotations

import numpy as np

from verisyn.findings import Finding, Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._each_table import each_table
from verisyn.metrics._linked import DatabaseSides
from verisyn.metrics._per_link import FALSE, ORDER
from verisyn.metrics._stats import adjusted, together
from verisyn.metrics.privacy import copies

title = "Do the rows of any table copy real rows?"
needs = ("links",)
best, worst = 0.0, 1.0
stand_in, floor = None, False
references = copies.references
rule = copies.rule


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Look for copies in every table."""
    if not sides.unseen:
        raise NotAnswered("there is no holdout that the generator has not seen")
    found, left = each_table(sides, ["copies"], held_out=True)
    told = {name: f["copies"] for name, f in found.items() if f["copies"].value is not None and f["copies"].interval}
    left += [{"name": name, "because": f["copies"].reason} for name, f in found.items() if name not in told]
    if not told:
        raise NotAnswered(f"no table has enough rows: of {left[0]['name']!r}, {left[0]['because']}" if left else
                          "there are no tables")
    p = np.array([f.p for f in told.values()])
    sure = {name for name, q in zip(told, adjusted(p), strict=True) if q <= FALSE}
    verdicts: dict[str, Verdict] = {name: "fair" if f.verdict == "poor" and name not in sure else f.verdict
                                    for name, f in told.items()}
    first = sorted(told, key=lambda name: (ORDER.index(verdicts[name]), -_excess(told[name])))
    worst = told[first[0]]
    return Measure(worst.value or 0.0, worst.interval or (0.0, 1.0), {
        "items": [_item(name, told[name]) for name in first],
        "items_say": {"value": "share of rows that are copies", "reference": "of strangers", "title": "Table by table"},
        "not_judged": left[:30], "ceiling": worst.ceiling, "_verdict": verdicts[first[0]], "_worst": first[0],
        "_reason": worst.reason, "_tables": len(told), "_p": together(p)})


def _excess(finding: Finding) -> float:
    """How far copies are beyond the strangers' rate, at the low end."""
    return max(c["interval"][0] for c in finding.details["checks"])


def _item(name: str, finding: Finding) -> dict[str, object]:
    return {"name": name, "value": finding.value, "reference": finding.ceiling,
            "interval": list(finding.interval or ()), "note": f"{finding.details['rows']:,} synthetic rows"}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the worst table."""
    d = measure.details
    many = f", the worst of {d['_tables']} tables" if d["_tables"] > 1 else ""
    return Judged(d["_verdict"], f"In {d['_worst']!r}{many}: {d['_reason']}", d["_p"])
