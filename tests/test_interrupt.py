"""A fit that is interrupted leaves nothing half-written and can go on; a fit within a budget ends in time, and says so."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn.errors import UserError
from verisyn.progress import Progress


def table(rows=2000, columns=6, seed=0):
    """Return numbers of which each tells of the next, and a category."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(rows, columns)), axis=1).round(1)
    frame = pl.DataFrame(walk, [f"c{j}" for j in range(columns)], orient="row")
    return frame.with_columns(side=pl.when(pl.col("c0") > 0).then(pl.lit("up")).otherwise(pl.lit("down")))


class StopsAfter(Progress):
    """A user who presses Ctrl-C after so many parts."""

    def __init__(self, parts):
        super().__init__()
        self.left = parts

    @contextmanager
    def _show(self, name, total):
        def tick(done):
            if name == "fit":
                self.left -= 1
                if not self.left:
                    raise KeyboardInterrupt
        yield tick


def files_of(model, place):
    model.save(place)
    return {p.name: p.read_bytes() for p in sorted(place.iterdir())}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_fit_goes_on_to_the_same_bytes(tmp_path, jobs):
    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        vs.fit(table(), audit=False, jobs=jobs, checkpoint=kept, progress=StopsAfter(3))
    assert len(list(kept.glob("part-*"))) >= 3
    shutil.rmtree(kept / "part-0", ignore_errors=True)  # however far the threads came, something is left to learn
    parts = [p.name for p in kept.glob("part-*")]
    before = {p: (kept / p / "arrays.npz").stat().st_mtime_ns for p in parts}
    with pytest.raises(KeyboardInterrupt):  # and again; what is kept is not learnt a second time
        vs.fit(table(), audit=False, jobs=jobs, checkpoint=kept, progress=StopsAfter(5))
    assert before.items() <= {p.name: (p / "arrays.npz").stat().st_mtime_ns for p in kept.glob("part-*")}.items()
    done = vs.fit(table(), audit=False, jobs=jobs, checkpoint=kept)
    assert not kept.exists()
    assert files_of(done, tmp_path / "a") == files_of(vs.fit(table(), audit=False, jobs=1), tmp_path / "b")


def test_a_damaged_part_is_learnt_again(tmp_path):
    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        vs.fit(table(), audit=False, jobs=1, checkpoint=kept, progress=StopsAfter(3))
    for part in kept.glob("part-*"):
        (part / "arrays.npz").write_bytes(b"cut off")
    done = vs.fit(table(), audit=False, jobs=1, checkpoint=kept)
    assert files_of(done, tmp_path / "a") == files_of(vs.fit(table(), audit=False), tmp_path / "b")


@pytest.mark.parametrize(("changed", "told"), [
    ({"data": table(seed=1)}, "the data or its schema"), ({"seed": 5}, "the seed"), ({"leaves": 4}, "its settings"),
    ({"generator": "independent"}, "the generator"),
])
def test_a_checkpoint_of_another_fit_is_refused(tmp_path, changed, told):
    kept = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        vs.fit(table(), audit=False, jobs=1, checkpoint=kept, progress=StopsAfter(3))
    with pytest.raises(UserError, match=f"belongs to another fit: .*{told}.* differed"):
        vs.fit(**{"data": table(), "audit": False, "checkpoint": kept, **changed})


def test_a_folder_of_other_work_is_no_checkpoint(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="is no checkpoint"):
        vs.fit(table(), audit=False, checkpoint=tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match="could not be written"):
        vs.fit(table(), audit=False, checkpoint=tmp_path / "file" / "kept")


def test_the_signal_of_ctrl_c_stops_the_command_and_leaves_nothing_but_the_checkpoint(tmp_path):
    if os.name == "nt":
        pytest.skip("signals to another process work differently here")
    table(20_000, 16).write_parquet(tmp_path / "walk.parquet")
    command = [sys.executable, "-m", "verisyn", "fit", "walk.parquet", "--out", "model", "--checkpoint", "kept", "--json"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while running.poll() is None and not list(tmp_path.glob("kept/part-*")):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    said = running.communicate()[1]
    assert running.returncode == 130, said
    assert "Stopped" in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "walk.parquet"]
    assert not list((tmp_path / "kept").glob(".*"))


def test_without_time_the_model_is_valid_and_says_what_was_cut_short(tmp_path):
    model = vs.fit(table(), audit=False, budget="0.001s")
    assert "The budget of 0.001 s ended the learning of" in model.info.notes[0]
    fake = model.sample(500, seed=1)
    assert fake.schema == table().schema
    assert abs(fake["c5"].mean() - table()["c5"].mean()) < 0.5  # base rates are there, dependence is not
    assert np.isfinite(model.log_prob(table())).all()
    model.save(tmp_path / "model")
    assert list(vs.load(tmp_path / "model").info.notes) == list(model.info.notes)


def test_with_time_enough_a_budget_changes_nothing(tmp_path):
    free, bound = vs.fit(table(), audit=False), vs.fit(table(), audit=False, budget="1h")
    assert not bound.info.notes
    assert files_of(free, tmp_path / "a") == files_of(bound, tmp_path / "b")


def test_what_a_budget_cut_short_is_not_kept(tmp_path):
    kept = tmp_path / "kept"
    assert vs.fit(table(), audit=False, budget="0.001s", checkpoint=kept).info.notes
    assert kept.exists()
    done = vs.fit(table(), audit=False, checkpoint=kept)
    assert not kept.exists()
    assert files_of(done, tmp_path / "a") == files_of(vs.fit(table(), audit=False), tmp_path / "b")


@pytest.mark.parametrize("budget", ["soon", "2 fortnights", "", "0", 0, -3, "min"])
def test_a_budget_that_is_no_time_is_refused(budget):
    with pytest.raises(UserError, match="a time was expected"):
        vs.fit(table(100), budget=budget)
