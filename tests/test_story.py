"""The story end to end, in Python and on the command line, on files like those people have."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

import verisyn as vs


def verisyn(*args, cwd=None, ok=0):
    done = subprocess.run([sys.executable, "-m", "verisyn", *map(str, args)], cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, "COLUMNS": "100"})
    assert done.returncode == ok, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    rng = np.random.default_rng(3)
    n = 1200
    age = rng.integers(0, 95, n)
    frame = pl.DataFrame({
        "patient_id": [f"P-{i:05d}" for i in rng.permutation(n)],
        "name": [f"{a} {b}" for a, b in zip(rng.choice(["Anna", "John", "Maria", "Peter", "Laura", "James"], n),
                                            rng.choice(["Smith", "Müller", "Garcia", "Rossi", "Jones"], n), strict=True)],
        "admitted": [str(d) for d in np.datetime64("2021-01-01") + rng.integers(0, 900, n)],
        "age": age,
        "pressure": np.round(90 + age * 0.5 + rng.normal(0, 12, n), 1),
        "smoker": rng.choice(["yes", "no"], n, p=[0.2, 0.8]),
        "ward": np.where(age < 16, "children", rng.choice(["surgery", "internal"], n)),
        "died": (rng.random(n) < 0.05 + age / 400).astype(int),
    }).with_columns(pl.when(pl.int_range(n) % 9 == 0).then(None).otherwise(pl.col("pressure")).alias("pressure"))
    path = tmp_path_factory.mktemp("data") / "patients.csv"
    frame.write_csv(path, separator=";")
    return path


@pytest.fixture(scope="module")
def told(patients, tmp_path_factory):
    home = tmp_path_factory.mktemp("told")
    shutil.copy(patients, home)
    done = verisyn("synth", "patients.csv", "--seed", "7", cwd=home)
    return home / "patients-synthetic", done


def test_synth_writes_the_folder(told, patients):
    folder, done = told
    files = {p.name for p in folder.iterdir()}
    assert files == {"synthetic.csv", "synthetic.csv.provenance.json", "report.html", "assessment.json", "schema.yaml",
                     "model", "run.json"}
    assert "report.html" in done.stdout
    real, fake = (pl.read_csv(p, separator=";") for p in (patients, folder / "synthetic.csv"))
    assert fake.schema == real.schema and fake.height == real.height
    assert not set(fake["patient_id"]) & set(real["patient_id"])
    assert fake["patient_id"].is_unique().all()
    children = fake.filter(pl.col("age") < 15)["ward"].value_counts(sort=True)
    assert children["ward"][0] == "children"


def test_the_assessment_has_the_agreed_shape(told):
    found = json.loads((told[0] / "assessment.json").read_text())["findings"]
    assert {f["name"].split(".")[0] for f in found} == {"fidelity", "utility", "privacy", "fairness"}
    for f in found:
        assert {"name", "value", "interval", "floor", "ceiling", "verdict", "reason"} <= set(f)
        assert f["verdict"] in {"good", "fair", "poor", "not answered"}
        assert f["reason"].endswith((".", ")"))
        if f["verdict"] != "not answered":
            low, high = f["interval"]
            assert low <= f["value"] <= high


def test_the_run_is_on_record(told, patients):
    run = json.loads((told[0] / "run.json").read_text())
    assert run["seed"] == 7 and run["rows"]["train"] + run["rows"]["holdout"] == 1200
    assert run["input"]["sha256"] == hashlib.sha256(patients.read_bytes()).hexdigest()
    for name, digest in run["files"].items():
        assert hashlib.sha256((told[0] / name).read_bytes()).hexdigest() == digest
    assert {"read", "describe", "fit", "sample"} <= {s["name"] for s in run["stages"]}
    assert all(s["cpu_seconds"] >= 0 and s["peak_mb"] for s in run["stages"])


def test_the_same_seed_gives_the_same_bytes_on_one_and_two_threads(told, patients, tmp_path):
    verisyn("synth", patients, "--seed", 7, "--jobs", 1, "--out", tmp_path / "one")
    for name in ("synthetic.csv", "schema.yaml", "assessment.json", "model/arrays.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (told[0] / name).read_bytes(), name


def test_stage_by_stage(patients, tmp_path):
    verisyn("describe", patients, "-o", "s.yaml", "--target", "died", cwd=tmp_path)
    text = (tmp_path / "s.yaml").read_text()
    assert "target: died" in text
    (tmp_path / "s.yaml").write_text(text.replace("name: ward\n    kind: category", "name: ward\n    kind: text"))
    verisyn("fit", patients, "--out", "m", "--schema", "s.yaml", "--holdout", "0.3", cwd=tmp_path)
    verisyn("sample", "m", "--rows", "900", "--out", "fake.parquet", "--given", "age >= 18", cwd=tmp_path)
    fake = pl.read_parquet(tmp_path / "fake.parquet")
    assert fake.height == 900 and fake["age"].min() >= 18
    assert not set(fake["ward"].drop_nulls()) & {"surgery", "internal", "children"}
    done = verisyn("assess", "fake.parquet", patients, "--model", "m", "--out", "a", "--json", cwd=tmp_path)
    names = {f["name"]: f["verdict"] for f in json.loads(done.stdout)["findings"]}
    assert names["privacy.membership"] != "not answered"
    assert (tmp_path / "a" / "report.html").stat().st_size > 10_000


def test_nothing_is_overwritten_without_force(told, patients):
    before = (told[0] / "run.json").read_bytes()
    done = verisyn("synth", patients, "--out", told[0], ok=2)
    assert "--force" in done.stderr
    assert (told[0] / "run.json").read_bytes() == before


@pytest.mark.parametrize(("args", "words"), [
    (["synth", "absent.csv"], "absent.csv"),
    (["synth", "empty.csv"], "empty"),
    (["synth", "header.csv"], "no rows"),
    (["synth", "ok.csv", "--generator", "gan"], "no generator called 'gan'"),
    (["synth", "ok.csv", "--target", "agee"], "Did you mean 'age'"),
    (["fit", "ok.csv", "--out", "m", "--schema", "absent.yaml"], "absent.yaml"),
    (["sample", "absent", "--rows", "3", "--out", "x.csv"], "not a model"),
    (["list", "kindz"], "Did you mean 'kinds'"),
])
def test_mistakes_get_a_sentence_and_exit_code_2(tmp_path, args, words):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("a,b\n")
    (tmp_path / "ok.csv").write_text("age,job\n" + "31,a\n45,b\n" * 30)
    before = sorted(p.name for p in tmp_path.iterdir())
    done = verisyn(*args, cwd=tmp_path, ok=2)
    assert words in " ".join(done.stderr.split())
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_reader_that_has_read_enough_is_no_fault(patients):
    command = f"{sys.executable} -m verisyn describe {patients} | head -c 20"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_ctrl_c_leaves_nothing_behind(patients, tmp_path):
    child = subprocess.Popen([sys.executable, "-m", "verisyn", "synth", str(patients), "--rows", "3000000", "--out", "big"],
                             cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    time.sleep(6)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert "Nothing was left half-written" in err
    assert list(tmp_path.iterdir()) == []


def test_one_row_one_column_and_constants(tmp_path):
    for name, text in {"row": "a,b\n1,x\n", "column": "a\n" + "1\n2\n3\n" * 40, "constant": "a,b\n" + "1,\n" * 80}.items():
        (tmp_path / f"{name}.csv").write_text(text)
        verisyn("synth", f"{name}.csv", cwd=tmp_path)
        assert (tmp_path / f"{name}-synthetic" / "report.html").exists()


def test_frames_come_back_as_they_went_in():
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pd.DataFrame({
        "n": pd.array([1, None, 3] * 50, "Int64"), "c": pd.Categorical(["a", "b", "b"] * 50, ordered=True),
        "t": pd.to_datetime(["2020-01-01", None, "2021-06-01"] * 50, utc=True), "b": pd.array([True, False, None] * 50, "boolean"),
        "x": [0.5, float("nan"), 1.25] * 50, "i": [1, 2, 3] * 50})
    fake = vs.synth(frame, rows=90, seed=1)
    assert isinstance(fake, pd.DataFrame) and len(fake) == 90
    assert {k: v.name for k, v in fake.dtypes.items()} == {k: v.name for k, v in frame.dtypes.items()}
    assert fake["c"].cat.ordered
    table = pa.table({"x": [1, 2, 3] * 40, "y": pa.array(["u", "v", "w"] * 40).dictionary_encode()})
    back = vs.synth(table, rows=30)
    assert isinstance(back, pa.Table) and back.schema.equals(table.schema)


@pytest.mark.parametrize("name", ["titanic", "adult"])
def test_real_data(real, tmp_path, name):
    verisyn("synth", real(name), "--out", tmp_path / "out")
    found = {f["name"]: f for f in json.loads((tmp_path / "out" / "assessment.json").read_text())["findings"]}
    assert found["fidelity.marginals"]["verdict"] == "good"
    assert found["privacy.membership"]["verdict"] in {"good", "fair"}  # titanic has few rows, so a wide interval
