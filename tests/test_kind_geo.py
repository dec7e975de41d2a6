"""Places: pairs found by name, drawn where real ones are dense, never copied."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.spatial import cKDTree

from verisyn.kinds import Declined, Draw, geo
from verisyn.schema import Column


def coded(frame: pl.DataFrame, **settings):
    columns = [Column(name=n, kind="geo", settings=settings) for n in frame.columns]
    coder = geo.Coder.learn(frame, columns, np.random.default_rng(0))
    codes = coder.encode(frame)
    return coder, coder.decode(codes, Draw(np.random.default_rng(1), np.zeros(len(codes), np.int64)))


@pytest.mark.parametrize(("name", "values"), [("lat", [95.5, 1.5]), ("flat", [1.5, 2.5]), ("latency", [1.5, 2.5]),
                                              ("longitude", [1, 2]), ("lon", [200.5, 3.5])])
def test_other_columns_are_declined(name, values):
    with pytest.raises(Declined):
        geo.recognise(pl.Series(values), name)


@pytest.mark.parametrize("names", [("pickupLatitude", "pickupLongitude"), ("LAT", "LNG"), ("home lat", "home long")])
def test_pairs_are_found_by_name(names):
    columns = [Column(name=n, kind="geo") for n in (*names, "other_lat")]
    assert [[c.name for c in g] for g in geo.group(columns)] == [[*names], ["other_lat"]]
    assert geo.recognise(pl.Series([1.5, 2.5]), names[0]).confidence == 0.9


def test_clusters_stay_clusters_and_corners_are_not_published():
    rng = np.random.default_rng(0)
    towns = rng.uniform((40, -5), (60, 30), (12, 2))
    points = np.round(towns[rng.integers(0, 12, 6000)] + rng.normal(0, 0.02, (6000, 2)), 5)
    frame = pl.DataFrame(points, schema=["lat", "lon"], orient="row")
    _, back = coded(frame)
    fake = back.to_numpy()
    assert (np.round(fake, 5) == fake).all()
    assert cKDTree(towns).query(fake)[0].max() < 0.2
    assert len(set(map(tuple, points.tolist())) & set(map(tuple, fake.tolist()))) < 5
    assert (points.min(axis=0) < fake.min(axis=0)).all() and (fake.max(axis=0) < points.max(axis=0)).all()


def test_a_place_of_many_rows_is_exact():
    rng = np.random.default_rng(0)
    shops = [(52.52, 13.405), (48.137, 11.575)]
    points = np.array([shops[i] for i in rng.integers(0, 2, 2000)] + rng.uniform(45, 55, (500, 2)).tolist())
    _, back = coded(pl.DataFrame(points, schema=["lat", "lon"], orient="row"))
    found = [row in shops for row in back.iter_rows()]
    assert np.mean(found) == pytest.approx(0.8, abs=0.02)


def test_each_pattern_of_missing_coordinates_comes_back():
    frame = pl.DataFrame({"lat": [1.5, None, None, 2.5] * 10, "lon": [3.25, None, 4.0, None] * 10})
    coder, back = coded(frame)
    assert back.select(pl.all().is_null()).equals(frame.select(pl.all().is_null()))
    assert coder.parts[0].missing == coder.parts[0].size - 1


def test_real_places_keep_their_dependence(real):
    frame = pl.read_parquet(real("airbnb_nyc"), columns=["latitude", "longitude"])
    _, back = coded(frame)
    near = cKDTree(frame.to_numpy()).query(back.to_numpy())[0]
    assert np.quantile(near, 0.99) < 0.01
