"""Whether synthetic rows keep what real rows keep between tables: the share of rows that break nothing; 1 is best.

The constraints are those of the schema's links, found in the real data or stated by a person: a child repeats a value
of its parent's, follows from it, comes before or after it; a parent's column is the sum, the mean, the least, the
greatest or the number of its children's. A row that lacks the values to tell is not counted. The value is the share,
over all constraints and the rows that can tell, that hold; its interval is exact (Clopper and Pearson 1934). The
control are the training rows: each constraint is judged by how much more often synthetic rows break it than they do
(Newcombe 1998), at a false discovery rate of 5 % over constraints (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._counts import named
from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.metrics._per_link import FALSE, entry
from verisyn.metrics._stats import adjusted, clopper_pearson, newcombe, p_beyond, together
from verisyn.metrics.fidelity.constraints import GOOD, POOR

title = "Does what holds between tables hold?"
needs = ("links",)
best, worst = 1.0, 0.0
stand_in = None
rule = (f"poor: some constraint is broken by more than {POOR:.0%} of the rows beyond the rate of real rows, at the low "
        f"end of the interval; good: each by {GOOD:.1%} or less beyond it; fair: otherwise")
references = ("https://doi.org/10.1093/biomet/26.4.404",)


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Count rows that break a constraint of a link."""
    if sides.rules is None or not any(link.constraints for link in sides.schema.links):
        raise NotAnswered("no constraint between tables was found or given")
    checks = [_check(*both) for both in zip(*(_asked(sides, side) for side in (sides.fake, sides.train)), strict=True)]
    checks = [c for c in checks if c["of"] and c["_real_of"]]
    if not checks:
        raise NotAnswered("no row has the values to tell whether the constraints between tables hold")
    sure = adjusted(np.array([c["_p"] for c in checks])) <= FALSE
    for check, certain in zip(checks, sure, strict=True):
        check["_verdict"] = ("poor" if certain and check["interval"][0] > POOR else
                             "good" if check["excess"] <= GOOD else "fair")
    checks.sort(key=lambda c: (-c["interval"][0], -c["excess"]))
    rows, broken = (sum(c[key] for c in checks) for key in ("of", "rows"))
    real_rows, real_broken = (sum(c[key] for c in checks) for key in ("_real_of", "_real_rows"))
    return Measure(1 - broken / rows, clopper_pearson(rows - broken, rows), {
        "constraints": len(checks), "ceiling": round(1 - real_broken / real_rows, 6),
        "items": [{"name": c["rule"], "value": c["share"], "reference": c["real"], "note": f"{c['rows']:,} rows",
                   "interval": [round(x, 6) for x in clopper_pearson(c["rows"], c["of"])]} for c in checks[:15]],
        "items_say": {"value": "share of synthetic rows that break it", "reference": "share of real rows that do"},
        "links": _links(checks), "_checks": checks, "_p": together([c["_p"] for c in checks])})


def _asked(sides: DatabaseSides, side: Database) -> Any:
    return sides.rules.checks(side.frames, side.links)


def _check(fake: Any, real: Any) -> dict[str, Any]:
    share, usual = (check.broken / max(check.rows, 1) for check in (fake, real))
    known = fake.rows and real.rows
    interval = newcombe(fake.broken, fake.rows, real.broken, real.rows) if known else (0.0, 0.0)
    return {"rule": fake.sentence, "link": fake.link, "rows": fake.broken, "of": fake.rows, "share": round(share, 6),
            "real": round(usual, 6), "excess": share - usual, "interval": interval, "_real_rows": real.broken,
            "_real_of": real.rows, "_p": p_beyond(share - usual, interval, POOR)}


def _links(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said of each link that has constraints."""
    found = []
    for link in {c["link"].name: c["link"] for c in checks}.values():
        mine = [c for c in checks if c["link"].name == link.name]
        rows, broken = (sum(c[key] for c in mine) for key in ("of", "rows"))
        verdict: Verdict = next(v for v in ("poor", "fair", "good") if any(c["_verdict"] == v for c in mine))
        whole = Measure(1 - broken / rows, clopper_pearson(rows - broken, rows))
        found.append(entry(link, title, verdict, f"{'; '.join(map(_told, mine))}.", whole))
    return found


def _told(check: Mapping[str, Any]) -> str:
    return f"{check['rule']} (broken by {check['share']:.1%} of the rows, by {check['real']:.1%} of real ones)"


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by the constraint that is broken most beyond the rate of real rows."""
    d = measure.details
    verdict: Verdict = next(v for v in ("poor", "fair", "good") if any(c["_verdict"] == v for c in d["_checks"]))
    many = "s" if d["constraints"] > 1 else ""
    said = f"What the {d['constraints']} constraint{many} between tables ask{'' if many else 's'} holds in "
    said += f"{measure.value:.2%} of the synthetic rows"
    beside = [f"{who} {value:.2%}" for who, value in (
        ("of real ones", ceiling), ("with parents drawn at random", floor)) if value is not None]
    said += f" ({', '.join(beside)})" if beside else ""
    broken = [_told(c) for c in d["_checks"] if c["_verdict"] != "good"]
    return Judged(verdict, said + (f"; broken most: {named(broken)}" if broken else "") + ".", d["_p"])
