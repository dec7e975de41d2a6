"""Whether synthetic rows keep what real rows keep: the share of rows that break no constraint; 1 is best.

The constraints are those of the schema: found in the real data where all its rows keep them (sums and other formulas,
orders of two columns, columns that follow from others, columns that are missing together, exactly one of several, no
value below 0), or stated by a person. A row that lacks the values to tell breaks nothing. The value is the share of
synthetic rows that break none; its interval is exact (Clopper and Pearson 1934). The holdout is the control: each
constraint is judged by how much more often synthetic rows break it than the holdout's rows do (Newcombe 1998), at a
false discovery rate of 5 % over constraints (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from verisyn.constraints import BaseRule
from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics import Side, Sides, enough
from verisyn.metrics._counts import ALARM, excess, named
from verisyn.metrics._stats import adjusted, clopper_pearson, p_beyond, together

title = "Do the rows keep what holds between columns?"
needs = ("frame",)
best, worst = 1.0, 0.0
stand_in = "holdout"
GOOD, POOR = 0.001, 0.01
"""What all real rows keep, one synthetic row in a hundred must not break; one in a thousand may be repaired."""
rule = (f"poor: some constraint is broken by more than {POOR:.0%} of the rows beyond the rate of real rows, at the low "
        f"end of the interval; good: all together by {GOOD:.1%} or less beyond it; fair: otherwise")
references = ("https://doi.org/10.1093/biomet/26.4.404",)


def measure(sides: Sides, rng: np.random.Generator) -> Measure:
    """Count rows that break a constraint."""
    rules = sides.rules.rules
    enough({"synthetic": sides.fake.rows, "real": sides.holdout.rows}, 20)
    if not rules:
        raise NotAnswered("no constraint between columns was found or given")
    fake, holdout = ([_broken(rule, side) for rule in rules] for side in (sides.fake, sides.holdout))
    checks = sorted(({"rule": rule.sentence, **excess(a, b)} for rule, a, b in zip(rules, fake, holdout, strict=True)),
                    key=lambda c: (-c["interval"][0], -c["excess"]))
    either = [np.any(flags, axis=0) for flags in (fake, holdout)]
    kept = int((~either[0]).sum())
    return Measure(kept / sides.fake.rows, clopper_pearson(kept, sides.fake.rows), {
        "constraints": len(rules), "_any": excess(*either), "checks": checks[:30], **_settled(checks), "items": [
            {"name": c["rule"], "value": c["share"], "reference": c["holdout"],
             "interval": [round(x, 6) for x in clopper_pearson(c["rows"], sides.fake.rows)],
             "note": f"{c['rows']:,} synthetic rows"} for c in checks[:15]], "items_say": {
                 "value": "share of synthetic rows that break it", "reference": "share of the holdout's rows that do"}})


def _broken(rule: BaseRule, side: Side) -> np.ndarray:
    return np.asarray(rule.broken(side.frame), bool)


def _settled(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """Which constraints are broken too often, beyond doubt; and the p-value of all together."""
    p = np.array([p_beyond(c["excess"], tuple(c["interval"]), POOR) for c in checks])
    bad = (adjusted(p) <= ALARM) & np.array([c["interval"][0] > POOR for c in checks])
    return {"_bad": int(bad.sum()), "_p": together(p)}


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the constraint that is broken most beyond the rate of real rows."""
    d = measure.details
    verdict: Verdict = "poor" if d["_bad"] else "good" if d["_any"]["excess"] <= GOOD else "fair"
    broken = [f"{c['rule']} ({c['share']:.1%} of the rows break it)" for c in d["checks"] if c["rows"]]
    many = "s" if d["constraints"] > 1 else ""
    said = f"{measure.value:.2%} of the synthetic rows keep the {d['constraints']} constraint{many}"
    beside = [f"of {who} {value:.2%}" for who, value in (("other real rows", ceiling), ("columns drawn alone", floor))
              if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    said += f"; broken most: {named(broken)}" if broken and verdict != "good" else ""
    return Judged(verdict, said + ".", d["_p"])
