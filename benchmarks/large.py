"""What a database of 13 tables and 100 000 rows, and a million events, cost from reading to report.

    python benchmarks/large.py [database events]      both by default

Each is `verisyn synth` in a process of its own, on made-up data: CPU seconds of its stages, peak memory of the process, and
foreign keys of the synthetic tables that point to no row. The database is a shop (regions, stores, employees with
managers, customers, profiles, categories within categories, products, suppliers, a many-to-many table, orders, lines whose
amounts add up, payments, reviews); the events are those of 50 000 customers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl


def shop() -> dict[str, pl.DataFrame]:
    """Return thirteen tables of about 100 000 rows together."""
    rng = np.random.default_rng(0)

    def dates(days):
        return pl.Series((np.asarray(days) + 18_000).astype(np.int32)).cast(pl.Date)

    regions = pl.DataFrame({"region_id": np.arange(8) + 1, "region": [f"Region {c}" for c in "ABCDEFGH"]})
    stores = pl.DataFrame({"store_id": np.arange(60) + 1, "region_id": rng.integers(1, 9, 60),
                           "size_m2": rng.normal(900, 250, 60).round()})
    managers = [None if i < 25 else int(rng.integers(1, max(26, i // 3 + 1))) for i in range(700)]
    employees = pl.DataFrame({"employee_id": np.arange(700) + 1, "store_id": rng.integers(1, 61, 700),
                              "manager_id": managers, "salary": rng.normal(2800, 500, 700).round(2)})
    segment, joined = rng.choice(["gold", "silver", "bronze"], 4000, p=[.15, .35, .5]), rng.integers(0, 700, 4000)
    customers = pl.DataFrame({"customer_id": np.arange(4000) + 10001, "segment": segment, "joined": dates(joined),
                              "birth_year": rng.integers(1940, 2005, 4000), "home_store_id": rng.integers(1, 61, 4000)})
    profiles = pl.DataFrame({"customer_id": customers["customer_id"].sample(2600, seed=1),
                             "newsletter": rng.random(2600) < .4, "height": rng.normal(170, 10, 2600).round(1)})
    categories = pl.DataFrame({"category_id": np.arange(24) + 1, "parent_category_id":
                               [None] * 6 + [int(rng.integers(1, 7)) for _ in range(18)]})
    category = rng.integers(7, 25, 1200)
    price = np.exp(rng.normal(2 + category / 12, .5)).round(2)
    products = pl.DataFrame({"product_id": np.arange(1200) + 1, "category_id": category, "price": price})
    suppliers = pl.DataFrame({"supplier_id": np.arange(90) + 1, "country": rng.choice(["AT", "DE", "PL", "IT"], 90)})
    pairs = sorted({(p, int(s)) for p in range(1, 1201) for s in rng.choice(90, rng.integers(1, 4), replace=False) + 1})
    supplied = pl.DataFrame(pairs, schema=["product_id", "supplier_id"], orient="row").with_columns(
        pl.Series("lead_days", rng.poisson(9, len(pairs))))
    many = rng.poisson(np.select([segment == "gold", segment == "silver"], [8, 5], 3))
    who = np.repeat(np.arange(4000), many)
    ordered = joined[who] + rng.exponential(400, len(who)).astype(int)
    lines = 1 + rng.poisson(1.2, len(who))
    bought, pieces = rng.choice(1200, lines.sum(), p=rng.dirichlet(np.full(1200, .8))), 1 + rng.poisson(1, lines.sum())
    items = pl.DataFrame({"order_id": np.repeat(np.arange(len(who)), lines) + 1, "product_id": bought + 1,
                          "line_no": np.concatenate([np.arange(n) + 1 for n in lines]), "quantity": pieces,
                          "unit_price": price[bought], "amount": (pieces * price[bought]).round(2)})
    totals = items.group_by("order_id").agg(pl.col("amount").sum().round(2).alias("total"))
    orders = pl.DataFrame({"order_id": np.arange(len(who)) + 1, "customer_id": who + 10001, "ordered": dates(ordered),
                           "employee_id": rng.integers(1, 701, len(who)),
                           "channel": rng.choice(["web", "shop", "phone"], len(who), p=[.6, .3, .1])})
    orders = orders.join(totals, on="order_id", how="left")
    paid = orders.sample(fraction=.9, seed=3).sort("order_id")
    payments = pl.DataFrame({"payment_id": np.arange(paid.height) + 1, "order_id": paid["order_id"],
                             "paid": paid["total"], "method": rng.choice(["card", "cash", "bank"], paid.height)})
    made = {"regions": regions, "stores": stores, "employees": employees, "customers": customers, "profiles": profiles,
            "categories": categories, "products": products, "suppliers": suppliers, "product_suppliers": supplied,
            "orders": orders, "order_items": items, "payments": payments}
    left = max(1000, 100_000 - sum(f.height for f in made.values()))
    return {**made, "reviews": pl.DataFrame({
        "review_id": np.arange(left) + 1, "customer_id": rng.integers(0, 4000, left) + 10001,
        "product_id": rng.integers(1, 1201, left), "stars": rng.choice(5, left, p=[.05, .1, .2, .3, .35]) + 1})}


def events() -> pl.DataFrame:
    """Return a million purchases of 50 000 customers, who differ in how often and how much they buy."""
    rng = np.random.default_rng(0)
    many = np.minimum(rng.geometric(1 / 20, 50_000), 200)
    who = np.repeat(np.arange(50_000), many)
    spends = rng.normal(3, .6, 50_000)[who]
    gaps = np.maximum(1, rng.exponential(30, len(who))).astype(np.int64)
    first = np.cumsum(many) - many
    days = np.cumsum(gaps) - np.repeat(np.cumsum(gaps)[first] - rng.integers(1, 300, 50_000), many)
    return pl.DataFrame({"customer": who, "time": pl.Series((days + 15_000).astype(np.int32)).cast(pl.Date),
                         "amount": np.exp(spends + rng.normal(0, .4, len(who))).round(2),
                         "channel": rng.choice(["web", "shop", "phone"], len(who), p=[.5, .4, .1])})


def one(what: str, folder: Path) -> dict:
    """Tell the whole story of one in this process."""
    from verisyn.progress import Progress

    progress = Progress()
    if what == "database":
        source, asked = folder / "shop", {}
        source.mkdir()
        for name, frame in shop().items():
            frame.write_parquet(source / f"{name}.parquet")
    else:
        source, asked = folder / "events.parquet", {"entity": "customer", "time": "time"}
        events().write_parquet(source)
    story = told(source, asked, progress)
    story.save(folder / "out")
    dangling = 0
    for link in story.schema.links:
        child, parent = story.tables[link.table], story.tables[link.parent]
        points = child.select(link.columns).drop_nulls()
        dangling += points.join(parent, left_on=link.columns, right_on=link.key, how="anti").height
    return {"rows": story.rows, "tables": len(story.tables), "dangling": dangling,
            "stages": {c.name: round(c.cpu_seconds, 1) for c in progress.costs},
            "peak": max(c.peak_mb or 0 for c in progress.costs)}


def told(source: Path, asked: dict, progress):
    """Read every row, and tell the story."""
    import verisyn as vs
    from verisyn.story import tell

    with progress.stage("read"):
        data = vs.read(str(source), fit_rows=2_000_000, **asked)
    return tell(data, progress=progress, **asked)


def main() -> None:
    """Print a table, a line each."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], Path(sys.argv[3]))))
        return
    print("| | tables | synthetic rows | keys that point nowhere | CPU s in all | of which | peak MB |\n"
          "|---|---:|---:|---:|---:|---|---:|")
    for what in sys.argv[1:] or ["database", "events"]:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, __file__, "--one", what, folder], capture_output=True, text=True, check=True)
        said = json.loads(done.stdout.splitlines()[-1])
        costly = ", ".join(f"{n} {s:.1f}" for n, s in sorted(said["stages"].items(), key=lambda x: -x[1]) if s >= 0.5)
        print(f"| {what} | {said['tables']} | {said['rows']:,} | {said['dangling']} | {sum(said['stages'].values()):.1f} | {costly} "
              f"| {said['peak']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
