"""Whether keys hold: the share of keys and references that are sound; 1 is best.

A key is sound where no other row of its table has it and no part of it is missing; a reference where a row of the
parent has its key (or where it is missing, and may be), and where a table points to itself, no row is its own
ancestor. The control are the training rows. Where they break nothing, not one synthetic row may; where real rows are
orphans, or repeat their keys, the synthetic rows may as often: each check is judged by the difference of the two
shares with its interval (Newcombe 1998). The value's interval is exact (Clopper and Pearson 1934). Nothing is left
out: tables of a few rows count too. The details draw the tables and their links, and how many children a parent has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.findings import Judged, Measure, NotAnswered, Verdict
from verisyn.metrics._counts import named
from verisyn.metrics._linked import Database, DatabaseSides
from verisyn.metrics._per_link import entry
from verisyn.metrics._pictures import counted
from verisyn.metrics._stats import clopper_pearson, newcombe, p_beyond, together
from verisyn.schema import Link, Table

title = "Does every key hold, and lead somewhere?"
needs = ("links",)
best, worst = 1.0, 0.0
stand_in, floor = None, False
place = -4
GOOD, POOR = 0.01, 0.05
"""Where real rows break a key too, synthetic ones may as often, give or take one row in a hundred."""
rule = ("poor: a synthetic row breaks what no real row breaks, or breaks are more frequent than real ones by more than "
        f"{POOR:.0%}, even at the low end of the interval; good: none is, and rates differ by {GOOD:.0%} or less; "
        "fair: otherwise")
references = ("https://doi.org/10.1002/(sici)1097-0258(19980430)17:8%3C873::aid-sim779%3E3.0.co;2-i",
              "https://doi.org/10.1093/biomet/26.4.404")


def measure(sides: DatabaseSides, rng: np.random.Generator) -> Measure:
    """Check every key and every link, on all rows."""
    checks = [_check(f"{table.name}: a key that is missing or there twice", None, sides, _keys(table))
              for table in sides.schema.tables if table.key]
    for link in sides.schema.links:
        checks.append(_check(f"{link.name}: a key that {link.parent!r} does not have", link, sides, _orphans(link)))
        if not link.optional:
            checks.append(_check(f"{link.name}: no key", link, sides, _nowhere(link)))
        if link.table == link.parent:
            checks.append(_check(f"{link.name}: a row that is its own ancestor", link, sides, _circles(link)))
    checks = [c for c in checks if c["of"]]
    if not checks:
        raise NotAnswered("no table has a key, or points to another")
    rows, broken = (sum(c[key] for c in checks) for key in ("of", "broken"))
    real_rows, real_broken = (sum(c[key] for c in checks) for key in ("_real_of", "_real_broken"))
    told = sorted(checks, key=lambda c: (-c["_hard"], -c["interval"][0], -c["share"]))
    value = 1 - broken / rows
    return Measure(value, clopper_pearson(rows - broken, rows), {
        "schema": _picture(sides), "checks": [_told(c) for c in told if c["broken"] or c["_real_broken"]][:30],
        "keys_and_references": rows, "links": _links(told), "ceiling": round(1 - real_broken / max(real_rows, 1), 6),
        "_checks": told})


def _keys(table: Table) -> Any:
    def flags(side: Database) -> np.ndarray:
        keys = side.frames[table.name].select(table.key)
        gone = keys.select(pl.any_horizontal(pl.all().is_null())).to_series()
        return (keys.is_duplicated() | gone).to_numpy()

    return flags


def _orphans(link: Link) -> Any:
    return lambda side: (at := side.links[link.name].at)[at != -1] == -2


def _nowhere(link: Link) -> Any:
    """Rows without a key, of those that the link holds for."""
    def flags(side: Database) -> np.ndarray:
        frame = side.frames[link.table]
        if link.where:
            frame = frame.filter(pl.all_horizontal(pl.col(c) == v for c, v in link.where.items()))
        return frame.select(pl.any_horizontal(pl.col(c).is_null() for c in link.columns)).to_series().to_numpy()

    return flags


def _circles(link: Link) -> Any:
    """Rows of a table that points to itself from which no step up ever ends."""
    def flags(side: Database) -> np.ndarray:
        at = np.append(np.maximum(side.links[link.name].at, -1), -1)
        for _ in range(max(len(at), 2).bit_length()):
            at = at[at]  # twice as far up with every step; -1 is the end, and leads to itself
        return at[:-1] >= 0

    return flags


def _check(what: str, link: Link | None, sides: DatabaseSides, flags: Any) -> dict[str, Any]:
    fake, real = flags(sides.fake), flags(sides.train)
    hits, other = int(fake.sum()), int(real.sum())
    share, usual = hits / max(len(fake), 1), other / max(len(real), 1)
    interval = newcombe(hits, len(fake), other, len(real)) if len(fake) and len(real) else (0.0, 1.0)
    return {"what": what, "link": link, "of": len(fake), "broken": hits, "share": share, "real": usual,
            "excess": share - usual, "interval": interval, "_hard": hits > 0 and other == 0, "_real_broken": other,
            "_real_of": len(real)}


def _told(c: dict[str, Any]) -> dict[str, Any]:
    return {"what": c["what"], "rows": c["broken"], "of": c["of"], "share": round(c["share"], 6),
            "real share": round(c["real"], 6)}


def _verdict(checks: list[dict[str, Any]]) -> Verdict:
    if any(c["_hard"] or c["interval"][0] > POOR for c in checks):
        return "poor"
    return "good" if all(abs(c["excess"]) <= GOOD for c in checks) else "fair"


def _links(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said of each link: the share of its references that hold."""
    found = []
    for link in dict.fromkeys(c["link"].name for c in checks if c["link"]):
        mine = [c for c in checks if c["link"] and c["link"].name == link]
        rows, broken = max(c["of"] for c in mine), max(c["broken"] for c in mine)
        said = named([f"{c['what'].split(': ', 1)[1]} in {c['broken']:,} of {c['of']:,} rows (of real rows "
                      f"{c['real']:.1%})" for c in mine if c["broken"] or c["_real_broken"]])
        said = said or f"All {rows:,} references hold"
        whole = Measure(1 - broken / rows, clopper_pearson(rows - broken, rows))
        found.append(entry(mine[0]["link"], title, _verdict(mine), said + ".", whole))
    return found


def _picture(sides: DatabaseSides) -> dict[str, Any]:
    """The tables and links as they are drawn; no number of children that fewer than five real parents reach."""
    tables = [{"name": t.name, "rows": _rows(sides, t.name), "fake": sides.fake.rows(t.name), "columns": t.names,
               "key": list(t.key), "public": t.public} for t in sides.schema.tables]
    return {"tables": tables, "links": [{
        "name": k.name, "from": k.table, "to": k.parent, "columns": list(k.columns), "optional": k.optional,
        "owner": k.owner, "real": _cardinality(_real(sides, k)),
        "fake": _cardinality(sides.fake.links[k.name].counts)} for k in sides.schema.links]}


def _rows(sides: DatabaseSides, table: str) -> int:
    """Real rows, those held out too."""
    return sides.train.rows(table) + (sides.holdout.rows(table) if sides.held_out(table) else 0)


def _real(sides: DatabaseSides, link: Link) -> np.ndarray:
    """How many children real parents have, those held out too where parents have some on either side."""
    counts, others = (side.links[link.name].counts for side in (sides.train, sides.holdout))
    same = sides.partly(link) and sides.train.frames[link.parent].equals(sides.holdout.frames[link.parent])
    return counts + others if same else counts


def _cardinality(counts: np.ndarray) -> dict[str, float | None] | None:
    least, most = counted(counts)
    return {"mean": round(float(counts.mean()), 2), "least": least, "most": most} if len(counts) else None


def judge(measure: Measure, floor: float | None, ceiling: float | None) -> Judged:
    """Judge by what is broken beyond the rate of real rows."""
    checks = measure.details["_checks"]
    hard = [c for c in checks if c["_hard"]]
    p = 0.0 if hard else together([p_beyond(c["excess"], c["interval"], POOR) for c in checks])
    broken = [f"{c['what']} ({c['broken']:,} of {c['of']:,} rows, of real rows {c['real']:.1%})"
              for c in checks if c["broken"] and (c["_hard"] or abs(c["excess"]) > GOOD)]
    fewer = [f"{c['what']} ({c['share']:.1%} of the rows, of real rows {c['real']:.1%})"
             for c in checks if -c["excess"] > GOOD]
    rows = measure.details["keys_and_references"]
    lost = sum(c["broken"] for c in checks)
    said = f"{lost:,} of {rows:,} keys and references do not hold" if lost else f"All {rows:,} keys and references hold"
    said += f" (of real ones {1 - ceiling:.2%})" if ceiling is not None and ceiling < 1 else ""
    said += f"; broken: {named(broken)}" if broken else ""
    said += f"; rarer than in real data: {named(fewer)}" if fewer and not broken else ""
    return Judged(_verdict(checks), said + ".", p)
