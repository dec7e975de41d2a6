"""Neutral scores of a synthetic database against the held-out half of the real one; verisyn's own metrics are not used.

C2ST-Agg is the judge of SyntheRela (Hudovernik et al., 2024) on parents with aggregates of their children, here as an AUC of
boosted trees; hops are the overlap of two binned columns of rows that one link, or two, bind.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs
from _judges import Coder, apart, binned, bins, keys, ks, like, named, nearer_train, told_apart

Pair = tuple[pl.DataFrame, pl.DataFrame]
FEW = 40  # parents, below which no judge is asked

# what must hold between tables: the share of rows in which it does, in DuckDB's SQL
RULES = {
    "northwind": {"shipped after ordered": "SELECT avg((shippedDate >= orderDate)::INT) FROM orders WHERE shippedDate IS NOT NULL",
                  "order ships to its customer's country":
                      "SELECT avg((shipCountry = country)::INT) FROM orders JOIN customers USING (customerID)",
                  "hired after born": "SELECT avg((hireDate > birthDate)::INT) FROM employees"},
    "chinook": {"total is the sum of the lines": 'SELECT avg((abs(Total - s) < 0.005)::INT) FROM Invoice JOIN (SELECT InvoiceId, '
                'sum(UnitPrice * Quantity) s FROM InvoiceLine GROUP BY 1) USING (InvoiceId)',
                "line's price is the track's": "SELECT avg((l.UnitPrice = t.UnitPrice)::INT) FROM InvoiceLine l JOIN Track t USING (TrackId)",
                "billing city is the customer's":
                    "SELECT avg((BillingCity = City)::INT) FROM Invoice JOIN Customer USING (CustomerId)"},
    "nycflights": {"flight after the plane was built":
                   "SELECT avg((f.year >= p.year)::INT) FROM flights f JOIN planes p USING (tailnum) WHERE p.year IS NOT NULL"},
    "baseball": {"season after birth": "SELECT avg((year > year(birthDate))::INT) FROM batting JOIN players ON id = players_id",
                 "no more hits than at-bats": "SELECT avg((H <= AB)::INT) FROM batting"},
}


def at(child: pl.DataFrame, parent: pl.DataFrame, link: dict) -> np.ndarray:
    """Which parent row each child row points to; -1 for none, -2 where its key is no parent's."""
    left, right = keys(child, link["columns"]), keys(parent, link["key"]).with_row_index("at").unique(
        [f"key{i}" for i in range(len(link["key"]))], keep="first")
    found = left.join(right, on=left.columns, how="left", maintain_order="left")["at"].cast(pl.Int64).fill_null(-2).to_numpy()
    points = left.select(pl.all_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    return np.where(points, found, -1)


class Side:
    """The tables of one side, and what their links point to; keys, and names that no two rows share, are not judged."""

    many: set[int]  # links to parents with enough rows to be more than names

    def __init__(self, tables: dict[str, pl.DataFrame], schema: dict, names: dict[str, set[str]]) -> None:
        self.tables, self.links = tables, [k for k in schema["links"] if k["child"] in tables and k["parent"] in tables]
        self.at = {i: at(tables[k["child"]], tables[k["parent"]], k) for i, k in enumerate(self.links)}
        self.skip = {t: {c for k in self.links if k["child"] == t for c in k["columns"] if len(k["columns"]) == 1}
                     | set(table["key"] if table["key"] and len(table["key"]) == 1 else []) | names.get(t, set())
                     for t, table in schema["tables"].items()}

    def counts(self, i: int) -> np.ndarray:
        return np.bincount(self.at[i][self.at[i] >= 0], minlength=self.tables[self.links[i]["parent"]].height)

    def aggregates(self, i: int) -> pl.DataFrame:
        """One row a parent: its number of children, mean, spread and ends of their numbers, levels and top level of the rest."""
        k = self.links[i]
        child = self.tables[k["child"]].drop(self.skip[k["child"]], strict=False).with_columns(
            cs.temporal().cast(pl.Datetime("us")).dt.epoch("s"), pl.Series("at", self.at[i])).filter(pl.col("at") >= 0)
        numbers = child.select(cs.numeric()).drop("at").columns
        others = [c for c in child.columns if c not in (*numbers, "at")]
        made = child.group_by("at").agg(
            pl.len().cast(pl.Float64).alias("children"),
            *(getattr(pl.col(c).cast(pl.Float64), f)().alias(f"{f} {c}") for c in numbers for f in ("mean", "std", "min", "max")),
            *(pl.col(c).n_unique().cast(pl.Float64).alias(f"levels {c}") for c in others),
            *(pl.col(c).cast(pl.String).mode().sort().first().alias(f"top {c}") for c in others))
        rows = pl.DataFrame({"at": np.arange(self.tables[k["parent"]].height)})
        return rows.join(made, on="at", how="left", maintain_order="left").with_columns(pl.col("children").fill_null(0)).drop("at")

    def joined(self, table: str) -> pl.DataFrame:
        """Rows of a child table beside all columns of all its parents."""
        parts = [self.tables[table].drop(self.skip[table], strict=False)]
        for i, k in enumerate(self.links):
            if k["child"] == table and k["parent"] != table and i in self.many:
                parts.append(self.parents(i))
        return pl.concat([p.rename({c: f"{c} {n}" for c in p.columns}) for n, p in enumerate(parts)], how="horizontal")

    def family(self, table: str) -> np.ndarray:
        """Which rows are siblings (they share the first parent that it owns): a judge sees them in one fold."""
        own = min((i for i, k in enumerate(self.links) if k["child"] == table), key=lambda i: not self.links[i]["owner"])
        return np.where(self.at[own] >= 0, self.at[own], -1 - np.arange(len(self.at[own])))

    def parents(self, i: int) -> pl.DataFrame:
        """The parents' columns of each child row; missing where it has none."""
        k = self.links[i]
        frame = self.tables[k["parent"]].drop([*self.skip[k["parent"]], *k["key"]], strict=False)
        found = pl.Series(np.where(self.at[i] >= 0, self.at[i], -1)).replace(-1, None)
        return frame.select(pl.all().gather(found)) if frame.width else pl.DataFrame()


def score(hold: dict[str, pl.DataFrame], train: dict[str, pl.DataFrame], fake: dict[str, pl.DataFrame], schema: dict,
          name: str) -> dict[str, Any]:
    """Return the figures of one synthetic database, and those of each link."""
    hold = {t: f for t, f in hold.items() if t in fake}
    unlike = {t: fake[t] for t in hold}
    names = {t: named(f) for t, f in hold.items()}
    real, seen, made = (Side(tables, schema, names) for tables in (hold, train, {t: like(f, hold[t]) for t, f in unlike.items()}))
    made.at = Side(unlike, schema, names).at  # keys may have been made up of another type
    for s in (real, seen, made):
        s.many = {i for i, k in enumerate(real.links) if hold[k["parent"]].height >= FEW}
    per_link = {}
    for i, k in enumerate(real.links):
        per_link[f"{k['child']}.{'+'.join(k['columns'])}"] = {
            "cardinality": ks(real.counts(i), made.counts(i)), "agg": with_children(real, made, seen, i),
            "orphans": max(0.0, share(made.at[i]) - max(share(real.at[i]), share(seen.at[i])))}
    own = {t: alone(real, made, seen, t) for t in hold}
    children = {k["child"] for k in real.links}
    joins = {t: judged(*(s.joined(t) for s in (real, made, seen)), groups=tuple(s.family(t) for s in (real, made)))
             for t in children if hold[t].height >= FEW}
    judged_links = [v["agg"] for v in per_link.values()]
    return {
        "orphans": max(v["orphans"] for v in per_link.values()), "twice": twice(unlike, schema),
        "cardinality": worst([v["cardinality"] for k, v in zip(real.links, per_link.values(), strict=True)
                              if hold[k["parent"]].height >= FEW]),
        "agg": mean(judged_links), "agg_worst": worst(judged_links), "joined": mean(joins.values()), "alone": mean(own.values()),
        "hop1": hops(real, made, seen, 1), "hop2": hops(real, made, seen, 2), "rules": rules(unlike, name),
        "nearer_train": subject(seen, real, made, schema),
        "links": per_link, "tables": own, "joins": joins}


def share(points: np.ndarray) -> float:
    return float((points == -2).sum() / max((points != -1).sum(), 1))


def mean(values: Any) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def worst(values: Any) -> float | None:
    return max((v for v in values if v is not None), default=None)


def judged(real: pl.DataFrame, fake: pl.DataFrame, seen: pl.DataFrame, groups: tuple | None = None) -> float | None:
    coder = Coder(real, seen)
    return told_apart(coder(real), coder(like(fake, real)), coder.categories, groups) if coder.names else None


def alone(real: Side, made: Side, seen: Side, table: str) -> float | None:
    """A judge on one table, without its keys."""
    sides = [s.tables[table].drop(s.skip[table], strict=False) for s in (real, made, seen)]
    return judged(*sides) if sides[0].height >= FEW and sides[0].width else None


def with_children(real: Side, made: Side, seen: Side, i: int) -> float | None:
    """C2ST-Agg: a judge on parents with aggregates of their children."""
    k = real.links[i]
    if real.tables[k["parent"]].height < FEW:
        return None
    sides = [pl.concat([s.tables[k["parent"]].drop(s.skip[k["parent"]], strict=False), s.aggregates(i)], how="horizontal")
             for s in (real, made, seen)]
    return judged(*sides)


def twice(tables: dict[str, pl.DataFrame], schema: dict) -> float:
    """Largest share of rows of a table whose primary key another row has too."""
    shares = [1 - f.select(schema["tables"][t]["key"]).n_unique() / f.height for t, f in tables.items()
              if schema["tables"][t]["key"] and f.height]
    return max(shares, default=0.0)


def hops(real: Side, made: Side, seen: Side, far: int) -> float | None:
    """Mean overlap of a child's and a parent's (or grandparent's) binned columns, over all links and pairs of columns."""
    found = []
    for i, k in enumerate(real.links):
        ways = [(i,)] if far == 1 else [(i, j) for j, other in enumerate(real.links) if other["child"] == k["parent"] != other["parent"]]
        ways = [way for way in ways if way[-1] in real.many]
        for way in ways if k["parent"] != k["child"] else ():
            sides = []
            for s in (real, made, seen):
                up = s.at[way[0]]
                for j in way[1:]:
                    up = np.where(up >= 0, s.at[j][np.maximum(up, 0)], -1)
                top = s.links[way[-1]]["parent"]
                sides.append((s.tables[k["child"]].drop(s.skip[k["child"]], strict=False).filter(pl.Series(up >= 0)),
                              s.tables[top].drop(s.skip[top], strict=False).select(pl.all().gather(pl.Series(up[up >= 0])))))
            if min(s[0].height for s in sides) >= FEW:
                found += overlaps(*sides)
    return mean(found)


def overlaps(real: Pair, made: Pair, seen: Pair) -> list[float]:
    """1 - total variation of each pair of a child's and a parent's column, in at most 5 bins each."""
    coded = []
    for a, b, c in zip(real, made, seen, strict=True):
        coder = Coder(a, c)
        sides = coder(a), coder(like(b, a))
        cuts = [bins(sides[0][:, j], 5) for j in range(len(coder.names))]
        coded.append([[binned(side[:, j], cut) for j, cut in enumerate(cuts)] for side in sides])
    (down_real, down_made), (up_real, up_made) = coded
    return [1 - apart((down_real[a], up_real[b]), (down_made[a], up_made[b]))
            for a, b in itertools.product(range(len(down_real)), range(len(up_real)))]


def rules(tables: dict[str, pl.DataFrame], name: str) -> float | None:
    """Mean share of rows in which what is known to hold between tables does."""
    import duckdb

    base = duckdb.connect()
    for t, f in tables.items():
        base.register(t, f.to_arrow())
    kept = []
    for sql in RULES.get(name, {}).values():
        try:
            kept.append(base.execute(sql).fetchone()[0] or 0.0)
        except duckdb.Error:  # a type of its own, or a table that was not made
            kept.append(0.0)
    return mean(kept)


def subject(seen: Side, real: Side, made: Side, schema: dict) -> float | None:
    """Share of synthetic subjects, with aggregates of their children, nearer to one learnt from than to a held-out one."""
    own = [i for i, k in enumerate(real.links) if k["parent"] == schema["subject"] and k["owner"]]
    sides = [pl.concat([s.tables[schema["subject"]].drop(s.skip[schema["subject"]], strict=False), *(
        s.aggregates(i).rename(lambda c, i=i: f"{c} {i}") for i in own)], how="horizontal") for s in (seen, real, made)]
    coder = Coder(sides[0], sides[1])
    return nearer_train(*(coder(like(s, sides[0])) for s in sides)) if coder.names else None
