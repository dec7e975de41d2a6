"""What a saved model holds: no value of the training rows, no code, and a format that older versions refuse in words."""

import json
import shutil
import zipfile
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn.errors import UserError
from verisyn.modalities.table import _boost


@pytest.fixture(scope="module")
def planted():
    """Return a table of all sorts in which each row has values of its own, and those values."""
    rng = np.random.default_rng(0)
    rows = 1500
    frame = pl.DataFrame({
        "amount": np.exp(rng.normal(8, 1, rows)).round(4),
        "visits": rng.integers(10**9, 10**10, rows),
        "born": [date(1930, 1, 1) + timedelta(days=int(d)) for d in rng.permutation(30_000)[:rows]],
        "town": [f"Zq{i:05d}ville" if i % 10 == 0 else "Springfield" for i in range(rows)],
        "note": [f"patient {i:06d} came with {w}" for i, w in enumerate(rng.choice(["pain", "cough", "fever"], rows))],
        "email": [f"someone{i:06d}@example.org" for i in range(rows)],
        "group": rng.choice(["a", "b", "c"], rows),
    })
    return frame


@pytest.fixture(scope="module")
def folder(planted, tmp_path_factory):
    place = tmp_path_factory.mktemp("model") / "saved"
    vs.fit(planted, seed=0).save(place)
    return place


def contents(folder):
    """Return every byte of a model folder, decompressed, and its arrays."""
    raw, arrays = b"", []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                raw += b"".join(archive.read(name) for name in archive.namelist())
            with np.load(path, allow_pickle=False) as stored:
                arrays += [stored[name] for name in stored.files]
        elif path.is_file():
            raw += path.read_bytes()
    return raw, arrays


def test_a_model_is_json_and_arrays_only(folder):
    assert sorted(p.name for p in folder.iterdir()) == ["arrays.npz", "model.json"]
    assert all(array.dtype.kind in "biuf" for array in contents(folder)[1])
    assert json.loads((folder / "model.json").read_text(encoding="utf-8"))["format"] == 1


@pytest.mark.parametrize("column", ["town", "note", "email"])
def test_no_text_of_a_single_row_is_in_the_model(planted, folder, column):
    raw, _ = contents(folder)
    found = [text for text in planted[column].unique() if text != "Springfield" and text.encode() in raw]
    assert not found
    assert b"Springfield" in raw  # what many rows share may be there: the search works


def test_no_number_or_date_of_a_single_row_is_in_the_model(planted, folder):
    raw, arrays = contents(folder)
    rows = planted.height
    floats = np.concatenate([a.ravel().astype(np.float64) for a in arrays if a.dtype.kind == "f"])
    whole = np.concatenate([a.ravel().astype(np.int64) for a in arrays if a.dtype.kind in "iu" and a.dtype.itemsize == 8])
    units = (planted["amount"] * 10_000).round().cast(pl.Int64)  # as the model would write them: on their lattice
    for values in (units, planted["visits"]):
        assert np.isin(values.to_numpy(), whole).sum() <= 0.01 * rows  # a bound or an edge may hit one by chance
    assert not np.isin(planted["amount"].to_numpy(), floats).any()
    texts = [str(v) for column in ("amount", "visits", "born") for v in planted[column].to_list()]
    assert not [text for text in texts if len(text) > 7 and text.encode() in raw]


def test_what_two_thousand_rows_cost_does_not_grow_with_rows(planted, tmp_path):
    """A model that held its rows would grow with them."""
    sizes = []
    for rows in (4000, 40_000):
        rng = np.random.default_rng(1)
        frame = pl.DataFrame({"x": rng.normal(size=rows), "y": rng.normal(size=rows), "z": rng.choice(list("ab"), rows)})
        vs.fit(frame, audit=False).save(tmp_path / str(rows))
        sizes.append(sum(p.stat().st_size for p in (tmp_path / str(rows)).iterdir()))
    assert sizes[1] < 2 * sizes[0] + 100_000


def test_a_newer_format_is_refused_with_a_sentence(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    (tmp_path / "model.json").write_text(json.dumps(text | {"format": 999}), encoding="utf-8")
    with pytest.raises(UserError, match=r"newer format .* Upgrade verisyn"):
        vs.load(tmp_path)


def test_the_same_fit_writes_the_same_bytes_and_a_copy_of_the_copy_too(planted, folder, tmp_path):
    vs.fit(planted, seed=0).save(tmp_path / "again")
    vs.load(folder).save(tmp_path / "copy")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes() == (
            tmp_path / "copy" / path.name).read_bytes()


def test_arrays_have_one_byte_order_on_every_machine(folder):
    assert all(a.dtype == a.dtype.newbyteorder("<") for a in contents(folder)[1])
    assert all(np.dtype(t) == np.dtype(t).newbyteorder("<") for t in _boost.NODE_FIELDS.values())


DAMAGES = {
    "cut off": lambda a, rng: a[:-1],
    "one too many": lambda a, rng: np.concatenate([a, a[-1:]]),
    "turned around": lambda a, rng: a[::-1],
    "out of range": lambda a, rng: np.where(rng.random(a.shape) < 0.2, far(a.dtype, -1), a),
    "far out of range": lambda a, rng: np.where(rng.random(a.shape) < 0.2, far(a.dtype, 1), a),
}


def far(dtype, sign):
    """Give a number that leads nowhere."""
    most = np.iinfo(dtype).max if dtype.kind in "iu" else np.inf
    return np.array(most if sign > 0 else -most if dtype.kind == "f" else np.iinfo(dtype).min, dtype)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Return the folder of a model in which every field of the generator has something in it, and its rows."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=1200).round(2), rng.choice(list("abcdef"), 1200)
    frame = pl.DataFrame({"x": x, "y": y, "z": (x + np.isin(y, ["a", "d"]) * 2 + rng.normal(0, 0.3, 1200)).round(2)})
    place = tmp_path_factory.mktemp("chain") / "saved"
    vs.fit(frame, seed=0, audit=False).save(place)
    return place, frame


def damaged(folder, place, field, damage):
    """Copy a model, with one array of its generator spoilt."""
    shutil.copytree(folder, place)
    key = json.loads((place / "model.json").read_text(encoding="utf-8"))["generator"][field]["__array__"]
    with np.load(place / "arrays.npz") as archive:
        arrays = dict(archive)
    assert arrays[key].size
    arrays[key] = np.ascontiguousarray(DAMAGES[damage](arrays[key], np.random.default_rng(0)), arrays[key].dtype)
    np.savez(place / "arrays.npz", **arrays)
    return place


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_was_done_to_a_generators_arrays_is_refused_or_does_no_harm(chain, tmp_path, damage):
    folder, frame = chain
    refused = set()
    for field in json.loads((folder / "model.json").read_text(encoding="utf-8"))["generator"]:
        try:
            model = vs.load(damaged(folder, tmp_path / field, field, damage))
        except UserError as e:
            assert "damaged" in str(e)
            refused.add(field)
            continue
        assert model.sample(300, seed=0).schema == frame.schema
        assert np.isfinite(model.log_prob(frame[:50])).all()
    if damage in ("cut off", "one too many"):
        assert refused == set(json.loads((folder / "model.json").read_text(encoding="utf-8"))["generator"])


def test_adult_is_small(real, tmp_path):
    vs.fit(real("adult"), audit=False, budget="3s").save(tmp_path / "model")
    assert sum(p.stat().st_size for p in (tmp_path / "model").iterdir()) < 20 * 2**20
