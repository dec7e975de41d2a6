"""Databases, through the public door: every structure keeps its keys, and what belongs together stays together."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verisyn as vs
from verisyn.errors import Refused, UserError
from verisyn.linking.pointing import Linked, pointed
from verisyn.modalities.relation._loops import Loop
from verisyn.modalities.relation._matching import matched
from verisyn.modalities.relation._split import split
from verisyn.schema import Link, Schema


def shop(customers=400, seed=0):
    """Return customers, their orders, the orders' lines, and products: Germans order more, and buy food alone."""
    rng = np.random.default_rng(seed)
    country = rng.choice(["DE", "FR", "IT"], customers, p=[0.5, 0.3, 0.2])
    of = np.repeat(np.arange(customers), rng.poisson(np.where(country == "DE", 6, 2)))
    orders = pl.DataFrame({"customer_id": of + 1000, "channel": rng.choice(["web", "shop"], len(of)), "day": [
        date(2024, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 300, len(of))]})
    orders = orders.sort("customer_id", "day").with_row_index("id", 1).cast({"id": pl.Int64})
    order = np.repeat(np.arange(len(of)), rng.integers(1, 5, len(of)))
    bought = np.where(country[of[order]] == "DE", rng.integers(0, 20, len(order)), rng.integers(20, 40, len(order)))
    lines = pl.DataFrame({"order_id": order + 1, "product": [f"P{i:03d}" for i in bought],
                          "qty": rng.integers(1, 9, len(order))}).unique(["order_id", "product"], maintain_order=True)
    line = (pl.int_range(pl.len()).over("order_id") + 1).alias("line")
    return {"customers": pl.DataFrame({"id": np.arange(customers) + 1000, "country": country,
                                       "age": rng.integers(18, 80, customers)}),
            "orders": orders, "lines": lines.with_columns(line),
            "products": pl.DataFrame({"sku": [f"P{i:03d}" for i in range(40)], "kind": ["food"] * 20 + ["tool"] * 20,
                                      "price": rng.gamma(3, 10, 40).round(2)})}


def link(table, columns, parent, key, **more):
    columns, key = ((c,) if isinstance(c, str) else tuple(c) for c in (columns, key))
    return Link(table=table, columns=columns, parent=parent, key=key, **more)


def schema_of(frames, keys, *links):
    """Describe tables, with these keys and links and no others."""
    named = {(at.table, c) for at in links for c in at.columns} | {(t, k[0]) for t, k in keys.items() if len(k) == 1}
    tables = []
    for table in vs.describe(frames).tables:
        columns = [c.model_copy(update={"kind": "id", "settings": {}}) if (table.name, c.name) in named else c
                   for c in table.columns]
        tables.append(table.model_copy(update={"key": keys.get(table.name, ()), "columns": tuple(columns)}))
    return Schema(tables=tuple(tables), links=links)


def drawn(frames, schema, seed=1, **wishes):
    return vs.fit(frames, schema, seed=0).sample_tables(seed=seed, **wishes)


def check(frames, out, schema):
    """Keys are unique, links lead somewhere (but for as many orphans as there were), types are as they were."""
    for table in schema.tables:
        assert out[table.name].schema == frames[table.name].select(table.names).schema
        assert not table.key or not out[table.name].select(table.key).is_duplicated().any()
    for at in schema.links:
        real, made = (pointed(side[at.table], side[at.parent], at) for side in (frames, out))
        assert made.orphans == pytest.approx(real.orphans, abs=0.05)
        assert made.orphans == 0 or real.orphans > 0
        assert (made.at == -1).mean() == pytest.approx((real.at == -1).mean(), abs=0.06)


def overlap(a, b):
    """Return one minus the total variation distance of two counts of numbers."""
    size = max(a.max(), b.max()) + 1
    p, q = (np.bincount(x, minlength=size) / len(x) for x in (a, b))
    return 1 - np.abs(p - q).sum() / 2


@pytest.fixture(scope="module")
def shop_model():
    frames = shop()
    return frames, vs.fit(frames, seed=0, holdout=0.2)


def test_children_grandchildren_and_second_parents_depend_on_each_other(shop_model):
    frames, model = shop_model
    out = model.sample(seed=1)
    check(frames, out, model.schema)

    def shares(tables):
        whole = tables["lines"].join(tables["orders"], left_on="order_id", right_on="id").join(
            tables["customers"], left_on="customer_id", right_on="id").join(
            tables["products"], left_on="product", right_on="sku")
        food = whole.group_by("country").agg((pl.col("kind") == "food").mean()).sort("country")["kind"].to_list()
        per = tables["orders"].join(tables["customers"], left_on="customer_id", right_on="id").group_by("country").len()
        return food, dict(zip(per["country"], per["len"], strict=True))

    (food, orders), (real_food, real_orders) = shares(out), shares(frames)
    assert real_food == [1, 0, 0]
    assert food[0] > 0.8 and max(food[1:]) < 0.35  # independent products would give 0.7 thrice
    assert orders["DE"] / sum(orders.values()) == pytest.approx(real_orders["DE"] / sum(real_orders.values()), abs=0.06)
    for at in model.schema.links:
        real, made = (pointed(side[at.table], side[at.parent], at).counts for side in (frames, out))
        if at.parent != "products":
            assert overlap(real, made) > 0.85
    assert out["lines"]["line"].to_list()[:1] == [1]
    assert (out["orders"]["day"].diff().dt.total_days().fill_null(0) >= 0).to_numpy()[
        (out["orders"]["customer_id"].diff() == 0).fill_null(False).to_numpy()].all()


def test_the_same_seed_gives_the_same_bytes_from_disk_too(shop_model, tmp_path):
    _, model = shop_model
    model.save(tmp_path / "m")
    again = vs.load(tmp_path / "m")
    one, two, other = model.sample(seed=3, jobs=1), again.sample(seed=3, jobs=2), model.sample(seed=4)
    assert all(one[name].equals(two[name]) for name in one)
    assert not one["orders"].equals(other["orders"])


def test_scale_keeps_cardinalities_and_lookups(shop_model):
    frames, model = shop_model
    for scale in (0.05, 4):
        out = model.sample(seed=1, scale=scale)
        check({**frames, "orders": frames["orders"]}, out, model.schema)
        assert out["customers"].height == round(400 * scale) and out["products"].height == 40
        real, made = (side["orders"].height / side["customers"].height for side in (frames, out))
        assert made == pytest.approx(real, rel=0.25)
    assert model.sample(seed=1, rows={"customers": 33})["customers"].height == 33


def test_conditions_hold_on_every_table(shop_model):
    _, model = shop_model
    out = model.sample(seed=1, given={"customers": "country == 'FR' and age < 40", "orders": "channel == 'web'",
                                      "lines": {"qty": (6, None)}})
    assert set(out["customers"]["country"]) == {"FR"} and out["customers"]["age"].max() < 40
    assert set(out["orders"]["channel"]) == {"web"} and out["lines"]["qty"].min() >= 6
    assert out["customers"].height == 400
    assert 1 < out["orders"].height / 400 < 3  # as the French, not as all


def test_given_parents_come_back_and_shape_what_is_drawn(shop_model):
    frames, model = shop_model
    told = frames["customers"].filter(pl.col("country") == "DE").head(60)
    out = model.sample(seed=1, seed_tables={"customers": told})
    assert out["customers"].equals(told)
    assert out["orders"].height / 60 > 4.5
    assert set(out["orders"]["customer_id"]) <= set(told["id"])


def test_held_out_subjects_take_all_that_is_theirs_along(shop_model):
    frames, model = shop_model
    train, unseen = split(vs.read(frames), model.schema, 0.25, 0)
    assert unseen.tables["customers"].height == 100
    assert not set(train.tables["customers"]["id"]) & set(unseen.tables["orders"]["customer_id"])
    assert train.tables["orders"].height + unseen.tables["orders"].height == frames["orders"].height
    assert unseen.tables["products"].equals(frames["products"])
    for side in (train, unseen):
        for at in model.schema.links:
            assert pointed(side.tables[at.table], side.tables[at.parent], at).orphans == 0
    assert model.memory is None or model.memory.name == "model.memory"


def test_wishes_that_cannot_be_are_sentences(shop_model):
    _, model = shop_model
    for wishes, said in (({"rows": {"custmers": 3}}, "Did you mean 'customers'"), ({"scale": 0}, "scale is 0"),
                         ({"given": {"orders": "customer_id == 3"}}, "made anew"),
                         ({"given": {"customers": "age > 900"}}, "practically never met"),
                         ({"seed_tables": {"orders": pl.DataFrame({"channel": ["web"]})}}, "belong to those of"),
                         ({"seed_tables": {"customers": pl.DataFrame({"age": [3]})}}, "lack the column 'country'"),
                         ({"cale": 2}, "Did you mean 'scale'")):
        with pytest.raises(UserError, match=said):
            model.sample(seed=0, **wishes)


def test_trees_of_rows_stay_trees():
    rng = np.random.default_rng(0)
    boss = [None if i < 3 else int(rng.integers(0, max(3, i // 3))) + 1 for i in range(300)]
    staff = pl.DataFrame({"id": np.arange(1, 301), "boss": boss, "grade": rng.integers(1, 5, 300)})
    optional = link("staff", "boss", "staff", "id", optional=True)
    out = drawn({"staff": staff}, schema := schema_of({"staff": staff}, {"staff": ("id",)}, optional))
    check({"staff": staff}, out, schema)

    def depths(frame):
        above = dict(frame.select("id", "boss").iter_rows())

        def depth(row, steps=0):
            assert steps < 300, "a circle"
            return steps if above[row] is None else depth(above[row], steps + 1)

        return np.array([depth(row) for row in above])

    assert overlap(depths(staff), depths(out["staff"])) > 0.9
    itself = staff.with_columns(pl.col("boss").fill_null(pl.col("id")))
    must = link("staff", "boss", "staff", "id")
    out = drawn({"staff": itself}, schema := schema_of({"staff": itself}, {"staff": ("id",)}, must))
    check({"staff": itself}, out, schema)
    assert 1 <= (out["staff"]["id"] == out["staff"]["boss"]).sum() < 20


def test_one_column_that_points_to_one_table_or_another():
    rng = np.random.default_rng(0)
    kind = rng.choice(["person", "thing"], 900)
    frames = {"person": pl.DataFrame({"id": np.arange(100), "group": rng.choice(["a", "b"], 100)}),
              "thing": pl.DataFrame({"id": np.arange(60) + 500, "sort": rng.choice(["x", "y"], 60)}),
              "note": pl.DataFrame({"kind": kind, "words": rng.integers(1, 99, 900), "about": np.where(
                  kind == "person", rng.integers(0, 100, 900), rng.integers(500, 560, 900))})}
    links = [link("note", "about", name, "id", where={"kind": name}) for name in ("person", "thing")]
    schema = schema_of(frames, {"person": ("id",), "thing": ("id",)}, *links)
    out = drawn(frames, schema)
    check(frames, out, schema)
    for at in links:
        found = pointed(out["note"], out[at.parent], at).at
        assert ((found >= 0) == (out["note"]["kind"] == at.parent).to_numpy()).all()


def test_optional_links_orphans_and_one_to_one():
    rng = np.random.default_rng(0)
    visits = pl.DataFrame({"who": [None if rng.random() < 0.2 else int(rng.integers(0, 120)) for _ in range(1500)],
                           "n": rng.integers(0, 5, 1500)})
    visits = visits.with_columns(how=pl.when(pl.col("who").is_null()).then(pl.lit("phone")).otherwise(pl.lit("desk")))
    frames = {"people": pl.DataFrame({"id": np.arange(100), "group": rng.choice(["a", "b"], 100)}),
              "passports": pl.DataFrame({"who": rng.permutation(100)[:70], "years": rng.integers(1, 10, 70)}),
              "visits": visits}
    orphans = float((visits["who"].drop_nulls() >= 100).mean())
    schema = schema_of(frames, {"people": ("id",), "passports": ("who",)}, link("passports", "who", "people", "id"),
                       link("visits", "who", "people", "id", optional=True, orphans=orphans))
    out = drawn(frames, schema, scale=2)
    check(frames, out, schema)
    assert out["people"].height == 200 and out["passports"].height == 140
    nowhere = out["visits"].filter(pl.col("who").is_null())  # who points nowhere depends on the row
    assert (nowhere["how"] == "phone").mean() > 0.9
    with pytest.raises(Refused, match="There are orphans"):
        vs.fit(frames, schema, orphans="refuse")


def test_composite_keys_shared_by_several_links_agree():
    rng = np.random.default_rng(0)
    frames = {"firms": pl.DataFrame({"firm": np.arange(30), "plan": rng.choice(["free", "pro"], 30)}),
              "users": pl.DataFrame({"firm": np.repeat(np.arange(30), 20), "number": np.tile(np.arange(1, 21), 30),
                                     "role": rng.choice(["admin", "user"], 600)})}
    at = rng.integers(0, 600, 3000)
    frames["posts"] = frames["users"][at].select("firm", "number", words=pl.Series(rng.integers(1, 200, 3000)))
    schema = schema_of(frames, {"firms": ("firm",), "users": ("firm", "number")}, link("users", "firm", "firms", "firm"),
                       link("posts", ("firm", "number"), "users", ("firm", "number")),
                       link("posts", "firm", "firms", "firm"))
    out = drawn(frames, schema)
    check(frames, out, schema)
    assert out["users"]["number"].max() == 20


def test_keys_that_are_data_stay_data_and_unique():
    rng = np.random.default_rng(0)
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(300)]
    frames = {"sites": pl.DataFrame({"site": ["A", "B", "C"], "size": [1, 2, 3]}),
              "weather": pl.DataFrame({"site": np.repeat(["A", "B", "C"], 300), "day": days * 3,
                                       "temp": rng.normal(15, 5, 900).round(1)})}
    at = rng.integers(0, 900, 2000)
    frames["trips"] = frames["weather"][at].select("site", "day", km=pl.Series(rng.integers(1, 90, 2000)))
    schema = vs.describe(frames)
    keys = {"sites": ("site",), "weather": ("site", "day")}
    tables = tuple(t.model_copy(update={"key": keys.get(t.name, ())}) for t in schema.tables)
    schema = Schema(tables=tables, links=(link("weather", "site", "sites", "site"), link("trips", "site", "sites", "site"),
                                          link("trips", ("site", "day"), "weather", ("site", "day"))))
    out = drawn(frames, schema)
    check(frames, out, schema)
    assert out["weather"].height > 890 and out["weather"]["day"].min() >= days[0]


def test_public_tables_are_kept_word_for_word():
    frames = shop(200)
    schema = vs.describe(frames)
    schema = schema.model_copy(update={"tables": tuple(
        t.model_copy(update={"public": t.name == "products"}) for t in schema.tables)})
    out = drawn(frames, schema, scale=0.5)
    assert out["products"].equals(frames["products"])
    assert set(out["lines"]["product"]) <= set(frames["products"]["sku"])


def test_tables_that_point_to_each_other():
    rng = np.random.default_rng(0)
    frames = {"teams": pl.DataFrame({"team": np.arange(25), "head": rng.integers(0, 500, 25)}),
              "staff": pl.DataFrame({"id": np.arange(500), "team": rng.integers(0, 25, 500),
                                     "pay": rng.normal(100, 10, 500).round()})}
    schema = schema_of(frames, {"teams": ("team",), "staff": ("id",)}, link("teams", "head", "staff", "id"),
                       link("staff", "team", "teams", "team"))
    check(frames, drawn(frames, schema), schema)


def test_owners_that_cannot_be_are_sentences():
    frames = shop(100)
    schema = vs.describe(frames)
    twice = schema.model_copy(update={"links": tuple(at.model_copy(update={"owner": True}) for at in schema.links)})
    with pytest.raises(UserError, match="has 2 owners"):
        vs.fit(frames, twice)
    with pytest.raises(UserError, match="Did you mean 'kinds'"):
        vs.fit(frames, schema, kind=3)


@pytest.mark.parametrize("name", ["northwind", "chinook"])
def test_real_databases_keep_their_integrity(name, real):
    folder = real("adult").parents[1] / name
    model = vs.fit(folder, seed=0, holdout=0.2)
    check(vs.read(folder).tables, model.sample(seed=1), model.schema)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 4), st.booleans(), st.integers(0, 2**31))
def test_matching_keeps_numbers_and_lets_no_group_have_a_parent_twice(rows, parents, kinds, distinct, seed):
    rng = np.random.default_rng(seed)
    of = rng.integers(0, kinds, parents)
    said = rng.choice(of, rows)  # kinds that some parent is of
    near = np.array([np.roll(np.arange(kinds), -k) for k in range(kinds)])
    quotas = (np.bincount(said, minlength=kinds) / np.maximum(np.bincount(of, minlength=kinds), 1))[of]
    apart = rng.integers(0, 6, rows) if distinct else None
    found = matched(said, of, quotas, near, rng, apart=apart)
    if apart is None:
        assert (of[found] == said).all()
        assert (np.abs(np.bincount(found, minlength=parents) - quotas) < 2).all()
    else:
        pairs = [(g, p) for g, p in zip(apart, found, strict=True) if p >= 0]
        assert len(pairs) == len(set(pairs))
        for group in set(apart):  # a row is left over only where its group has every parent
            mine = found[apart == group]
            assert (mine >= 0).all() or len(set(mine[mine >= 0])) == parents


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-2, 11), min_size=1, max_size=12), st.integers(0, 2**31))
def test_any_loop_is_learnt_and_drawn(at, seed):
    at = np.array([min(a, len(at) - 1) for a in at])
    loop, said, band = Loop.learn(Linked(link("t", "up", "t", "id"), at, len(at)))
    found = Loop.restore(loop.state()).matched(said, band, np.random.default_rng(seed))
    assert ((found == -2) == (at == -2)).all()
    rings = (said == "ring").to_numpy()
    for row in np.flatnonzero(~rings):
        seen, here = {row}, found[row]
        while here >= 0 and not rings[here] and found[here] != here and here != row:
            assert here not in seen
            seen.add(here)
            here = found[here]
        assert here != row or found[row] == row


# -- rows given the very rows they point to ----------------------------------------------------------------------------
def sales(seed=0, rows=3000):
    """Return sites, the weather of each site's days, goods with a price, sales of a day (no owner) and their lines.

    Visits follow the weather of their site and day; a line's price is that of its good, or a fifth less, and its weight
    that of its good, a little off.
    """
    rng = np.random.default_rng(seed)
    sites = pl.DataFrame({"site": [f"S{i}" for i in range(6)], "south": [True] * 3 + [False] * 3})
    days = [date(2024, 1, 1) + timedelta(days=d) for d in range(200)]
    weather = sites.select("site").join(pl.DataFrame({"day": days}), how="cross")
    weather = weather.with_columns(pl.Series("heat", rng.normal(15, 8, weather.height).round(1)))
    some = weather[rng.integers(0, weather.height, rows)]
    visits = (3 * some["heat"] + 100 + pl.Series(rng.normal(0, 4, rows))).round().cast(pl.Int64)
    goods = pl.DataFrame({"good": np.arange(150) + 7000, "price": rng.gamma(4, 8, 150).round(2) + 1,
                          "weight": rng.gamma(3, 2, 150).round(3)})
    sale = some.select("site", "day").with_columns(visits.alias("visits")).with_row_index("sale", 1).cast({"sale": pl.Int64})
    of = np.repeat(np.arange(rows), rng.integers(1, 4, rows))
    which = rng.integers(0, 150, len(of))
    cut = np.where(rng.random(len(of)) < 0.3, 0.8, 1.0)
    lines = pl.DataFrame({"sale": of + 1, "good": which + 7000, "amount": rng.integers(1, 9, len(of)),
                          "unit_price": (goods["price"].to_numpy()[which] * cut).round(2),
                          "sent_weight": (goods["weight"].to_numpy()[which] + rng.normal(0, 0.05, len(of))).round(3)})
    return {"sites": sites, "weather": weather, "goods": goods, "sales": sale, "lines": lines}


def sales_schema(frames):
    keys = {"sites": ("site",), "weather": ("site", "day"), "goods": ("good",), "sales": ("sale",)}
    return schema_of(frames, keys, link("weather", "site", "sites", "site"), link("sales", "site", "sites", "site"),
                     link("sales", ("site", "day"), "weather", ("site", "day")),
                     link("lines", "sale", "sales", "sale", owner=True), link("lines", "good", "goods", "good"))


def found_with(tables):
    """Return how visits follow the weather, weights the goods' weights; and the shares of the two usual prices."""
    day = tables["sales"].join(tables["weather"], on=["site", "day"], maintain_order="left")
    line = tables["lines"].join(tables["goods"], on="good", maintain_order="left")
    ratio = line["unit_price"] / line["price"]
    return (day.select(pl.corr("visits", "heat")).item(), line.select(pl.corr("sent_weight", "weight")).item(),
            [((line["unit_price"] - (line["price"] * r).round(2)).abs() < 0.011).mean() for r in (1.0, 0.8)],
            ratio.max())


@pytest.fixture(scope="module")
def sales_model():
    frames = sales()
    return frames, vs.fit(frames, sales_schema(frames), seed=0, audit=False)


def test_rows_are_drawn_given_the_very_rows_they_point_to(sales_model):
    frames, model = sales_model
    out = model.sample(seed=1)
    check(frames, out, model.schema)
    weather, weight, prices, most = found_with(out)
    assert weather > 0.8 and weight > 0.85
    assert prices == pytest.approx([0.7, 0.3], abs=0.06) and most < 1.05
    other = {**out, "lines": out["lines"].with_columns(pl.col("good").shuffle(seed=0)),
             "sales": out["sales"].with_columns(pl.struct("site", "day").shuffle(seed=0).struct.unnest())}
    weather, weight, prices, _ = found_with(other)  # the figures can tell: rows that point at random have none of it
    assert abs(weather) < 0.1 and abs(weight) < 0.1 and sum(prices) < 0.1


def test_conditions_seeds_and_disk_with_rows_that_know_where_they_point(sales_model, tmp_path):
    frames, model = sales_model
    out = model.sample(seed=2, given={"sales": "visits > 150", "lines": "amount >= 5"}, jobs=1)
    check(frames, out, model.schema)
    assert out["sales"]["visits"].min() > 150 and out["lines"]["amount"].min() >= 5
    real = frames["sales"].join(frames["weather"], on=["site", "day"])
    hot = out["sales"].join(out["weather"], on=["site", "day"])["heat"].mean()
    assert hot > real["heat"].mean() + 5  # many visits are made on hot days
    model.save(tmp_path / "m")
    again = vs.load(tmp_path / "m").sample(seed=2, given={"sales": "visits > 150", "lines": "amount >= 5"}, jobs=2)
    assert all(out[name].equals(again[name]) for name in out)
    goods = frames["goods"].head(40)
    given = model.sample(seed=3, seed_tables={"goods": goods}, scale=0.3)
    assert given["goods"].equals(goods) and set(given["lines"]["good"]) <= set(goods["good"])
    assert found_with(given)[1] > 0.85


# -- people that belong to things, and rows that point twice ----------------------------------------------------------
def teams(users=600):
    """Return teams, their users, who have a boss in the team for the most part, and what users wrote."""
    rng = np.random.default_rng(0)
    of = np.arange(users) % 30
    boss = [None if i < 30 else int(i % 30 if rng.random() < 0.5 or i < 60 else 30 + i % 30) for i in range(users)]
    first, last = (rng.choice(names, users) for names in (
        ["Anna", "Bert", "Carla", "Dora", "Emil", "Franz", "Gerda", "Hans", "Ida", "Jan"],
        ["Huber", "Gruber", "Wagner", "Bauer", "Moser", "Mayer", "Hofer", "Leitner", "Berger", "Fuchs"]))
    people = pl.DataFrame({"user_id": np.arange(users), "name": [f"{a} {b}" for a, b in zip(first, last, strict=True)],
                           "team_id": of + 1, "boss_id": boss, "age": rng.integers(18, 70, users)})
    by = np.repeat(np.arange(users), rng.poisson(3, users))
    return {"teams": pl.DataFrame({"team_id": np.arange(1, 31), "city": rng.choice(["Graz", "Linz"], 30)}),
            "users": people, "posts": pl.DataFrame({"user_id": by, "words": rng.integers(1, 99, len(by))})}


def test_people_that_belong_to_things_are_the_subjects():
    frames = teams()
    schema = vs.describe(frames)
    train, unseen = split(vs.read(frames), schema, 0.25, 0)
    assert "Held out by users: 150 of 600" in " ".join(train.notes)
    assert unseen.tables["users"].height == 150
    assert unseen.tables["teams"].equals(frames["teams"])
    assert train.tables["teams"].equals(frames["teams"])
    assert not set(train.tables["users"]["user_id"]) & set(unseen.tables["posts"]["user_id"])
    model = vs.fit(frames, schema, seed=0, holdout=0.25)
    assert model.memory is not None
    assert model.memory.details["subject"] == "users"
    out = model.sample(seed=1)
    assert {n: f.height for n, f in out.items() if n != "posts"} == {"teams": 30, "users": 600}
    # an owner that a person chose stays
    chosen = tuple(k.model_copy(update={"owner": k.name == "users.team_id"}) for k in schema.links)
    train, unseen = split(vs.read(frames), schema.model_copy(update={"links": chosen}), 0.25, 0)
    assert unseen.tables["users"].height == 150
    assert "have fewer than in the source" in " ".join(train.notes)


def test_rows_whose_parent_is_held_out_get_one_of_the_same_kind():
    frames = teams()
    schema = vs.describe(frames)
    for side in split(vs.read(frames), schema, 0.3, 1):
        users = side.tables["users"]
        known = users.filter(pl.col("user_id").is_in(frames["users"].filter(pl.col("boss_id").is_not_null())["user_id"].implode()))
        assert known["boss_id"].null_count() == 0, "a boss was lost"
        both = users.join(users, left_on="boss_id", right_on="user_id")
        assert both.height == known.height
        assert (both["boss_id"] != both["user_id"]).all()
        assert (both["team_id"] == both["team_id_right"]).mean() > 0.5
    # no two rows of the source share a parent: none do where parents are lost
    lead = frames["teams"].with_columns(lead_id=pl.col("team_id") - 1)
    frames = {"teams": lead, "users": frames["users"].drop("boss_id")}
    schema = schema_of(frames, {"teams": ("team_id",), "users": ("user_id",)},
                       link("users", "team_id", "teams", "team_id"), link("teams", "lead_id", "users", "user_id"))
    for side in split(vs.read(frames), schema, 0.3, 1):
        assert side.tables["teams"]["lead_id"].n_unique() == 30
        assert side.tables["teams"]["lead_id"].is_in(side.tables["users"]["user_id"].implode()).all()


def test_few_rows_that_point_to_their_own_table_keep_the_numbers_of_each():
    rng = np.random.default_rng(0)
    staff = pl.DataFrame({"id": np.arange(60), "boss": [None if i < 8 else int(rng.integers(0, 8)) for i in range(60)],
                          "grade": rng.integers(1, 5, 60)})
    schema = schema_of({"staff": staff}, {"staff": ("id",)}, link("staff", "boss", "staff", "id", optional=True))
    model, most = vs.fit({"staff": staff}, schema, seed=0), staff["boss"].value_counts()["count"].max()
    for seed in range(5):
        boss = model.sample_tables(seed=seed)["staff"]["boss"]
        assert boss.null_count() == 8
        assert boss.drop_nulls().value_counts()["count"].max() <= 1.5 * most


def test_two_links_that_never_agree_stay_different():
    rng = np.random.default_rng(0)
    home = rng.integers(0, 18, 1200)
    away = (home + rng.integers(1, 18, 1200)) % 18
    frames = {"teams": pl.DataFrame({"team_id": [f"T{i}" for i in range(18)], "city": rng.choice(["Graz", "Linz"], 18)}),
              "games": pl.DataFrame({"home_id": [f"T{i}" for i in home], "away_id": [f"T{i}" for i in away],
                                     "goals": rng.poisson(2, 1200)})}
    schema = schema_of(frames, {"teams": ("team_id",)}, link("games", "home_id", "teams", "team_id"),
                       link("games", "away_id", "teams", "team_id"))
    games = drawn(frames, schema)["games"]
    assert (games["home_id"] != games["away_id"]).all()
    for name in ("home_id", "away_id"):
        assert overlap(*(f[name].value_counts()["count"].to_numpy() for f in (frames["games"], games))) > 0.6


def test_kinds_of_parents_know_whose_their_children_are():
    rng = np.random.default_rng(0)
    dept = np.arange(24) % 4
    of = np.repeat(np.arange(500), rng.poisson(3, 500))
    doctor = rng.integers(0, 24, len(of))
    visit = np.repeat(np.arange(len(of)), rng.integers(1, 4, len(of)))
    code = dept[doctor[visit]] * 25 + rng.integers(0, 25, len(visit))
    frames = {"wards": pl.DataFrame({"ward": ["CAR", "NEU", "ORT", "ONC"], "beds": [40, 22, 35, 28]}),
              "doctors": pl.DataFrame({"doctor_id": np.arange(24), "ward": np.array(["CAR", "NEU", "ORT", "ONC"])[dept]}),
              "patients": pl.DataFrame({"patient_id": np.arange(500), "age": rng.integers(0, 99, 500)}),
              "visits": pl.DataFrame({"visit_id": np.arange(len(of)), "patient_id": of, "doctor_id": doctor,
                                      "cost": rng.gamma(2, 100, len(of)).round(2)}),
              "codes": pl.DataFrame({"code": rng.permutation([f"C{i:02d}" for i in range(100)]),
                                     "title": [f"Disease {i}" for i in range(100)]})}
    frames["found"] = pl.DataFrame({"visit_id": visit, "code": frames["codes"]["code"][code.tolist()]})
    keys = {"wards": ("ward",), "doctors": ("doctor_id",), "patients": ("patient_id",), "visits": ("visit_id",),
            "codes": ("code",)}
    schema = schema_of(frames, keys, link("doctors", "ward", "wards", "ward"),
                       link("visits", "patient_id", "patients", "patient_id"),
                       link("visits", "doctor_id", "doctors", "doctor_id"),
                       link("found", "visit_id", "visits", "visit_id"), link("found", "code", "codes", "code"))

    def main(tables):
        """The share of a code's rows in its main ward."""
        both = tables["found"].join(tables["visits"], on="visit_id").join(tables["doctors"], on="doctor_id")
        ward = both.group_by("code", "ward").len()
        return ward.group_by("code").agg(pl.col("len").max() / pl.col("len").sum())["len"].mean()

    assert main(frames) == 1
    assert main(drawn(frames, schema)) > 0.6


def test_small_whole_numbers_beside_each_other_are_compared():
    rng = np.random.default_rng(0)
    frames = {"a": pl.DataFrame({"a_id": range(200), "n": pl.Series(rng.integers(0, 100, 200), dtype=pl.Int8)}),
              "b": pl.DataFrame({"a_id": rng.integers(0, 200, 500),
                                 "n": pl.Series(rng.integers(0, 100, 500), dtype=pl.Int8)})}
    assert [k.name for k in vs.describe(frames).links] == ["b.a_id"]
