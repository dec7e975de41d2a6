"""Where rows come from: it travels with them, is believed only of the file it is bound to, and guards what is learnt."""

import json
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet
from typer.testing import CliRunner

import verisyn as vs
from verisyn.cli import app
from verisyn.data import write
from verisyn.errors import Refused, UserError
from verisyn.policy import Policy
from verisyn.progress import Progress
from verisyn.provenance import (
    COLUMNS,
    Provenance,
    Source,
    manifest_path,
    of_rows,
    with_columns,
    without_columns,
)

SYNTHETIC = Source("twin", "synthetic", 60, "table.trees", 1)


def people(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"größe `cm`": rng.normal(170, 9, rows).round(1), "group": rng.choice(["a", "b"], rows)})


@pytest.fixture(scope="module")
def model():
    return vs.fit(people(300), seed=0, audit=False)


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


def mixed(*parts):
    return pl.concat([with_columns(people(s.rows), s) for s in parts])


# -- in rows ------------------------------------------------------------------------------------------------------------
@given(st.lists(st.builds(Source, name=st.text(max_size=5), kind=st.sampled_from(["real", "open", "synthetic", "derived"]),
                          rows=st.integers(1, 40), generator=st.text(max_size=5), generation=st.integers(0, 9),
                          licence=st.text(max_size=5)), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_what_columns_say_is_what_was_said(sources):
    told = of_rows(mixed(*sources))
    assert told.rows == sum(s.rows for s in sources)
    assert told.generation == max(s.generation for s in sources)
    made = sum(s.rows for s in sources if s.kind in ("synthetic", "derived"))
    assert told.synthetic_share == pytest.approx(made / told.rows)
    assert Provenance.from_dict(json.loads(json.dumps(told.to_dict()))) == told


def test_columns_go_and_come():
    frame = people()
    assert without_columns(with_columns(frame, SYNTHETIC)).equals(frame)
    assert of_rows(frame) is None
    assert with_columns(with_columns(frame, SYNTHETIC), Source("b", "real", 60)).columns == [*frame.columns, *COLUMNS]


@pytest.mark.parametrize(("column", "value", "words"), [
    ("verisyn_kind", "reel", "one of 'real', 'open'"), ("verisyn_kind", None, "holds None in 60 rows"),
    ("verisyn_generation", "two", "whole numbers from 0"), ("verisyn_generation", 1.5, "whole numbers from 0"),
    ("verisyn_generation", -1, "whole numbers from 0")])
def test_bad_columns_get_a_sentence(column, value, words):
    frame = with_columns(people(), SYNTHETIC).with_columns(pl.lit(value).alias(column))
    with pytest.raises(UserError, match=words):
        vs.read(frame)


def test_a_few_columns_are_enough_and_text_files_keep_them(tmp_path):
    frame = mixed(Source("real", "real", 30), SYNTHETIC)
    frame.write_csv(tmp_path / "mix.csv")
    data = vs.read(tmp_path / "mix.csv")
    assert data.frame.columns == people().columns and data.provenance.rows == 90
    assert data.provenance.sources[1] == SYNTHETIC
    only = vs.read(people().with_columns(verisyn_kind=pl.lit("synthetic"))).provenance
    assert only.generation == 1 and only.synthetic_share == 1


# -- in files -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.arrow", "a.jsonl", "a.csv.gz", "ü b.sqlite", "a.duckdb", "a.xlsx"])
def test_every_format_carries_it(tmp_path, name):
    said = Provenance((SYNTHETIC,))
    write(people(), tmp_path / name, provenance=said)
    assert vs.read(tmp_path / name).provenance == said
    assert vs.read(tmp_path / name).notes == vs.read(tmp_path / name).notes
    if not name.endswith("duckdb"):  # DuckDB writes no two files alike
        first = (tmp_path / name).read_bytes(), manifest_path(tmp_path / name).read_bytes()
        write(people(), tmp_path / name, provenance=said)
        if not name.endswith("xlsx"):
            assert first == ((tmp_path / name).read_bytes(), manifest_path(tmp_path / name).read_bytes())


def test_parquet_tells_without_its_manifest(tmp_path):
    write(people(), tmp_path / "a.parquet", provenance=Provenance((SYNTHETIC,)))
    (tmp_path / "a.parquet").rename(tmp_path / "b.parquet")
    assert vs.read(tmp_path / "b.parquet").provenance.sources == (SYNTHETIC,)


def test_a_manifest_of_another_file_is_not_believed(tmp_path):
    write(people(), tmp_path / "a.csv", provenance=Provenance((SYNTHETIC,)))
    people(seed=1).write_csv(tmp_path / "a.csv")
    data = vs.read(tmp_path / "a.csv")
    assert data.provenance is None and "the SHA-256 differs" in data.notes[-1]


@pytest.mark.parametrize("text", ["", "[]", "{}", "\xff", '{"format": 1, "sha256": 3, "sources": []}', '{"format": "x"}',
                                  '{"format": 1, "sha256": "0", "sources": [{"name": "a", "kind": "b", "rows": 1}]}'])
def test_a_damaged_manifest_is_said_and_left(tmp_path, text):
    people().write_csv(tmp_path / "a.csv")
    manifest_path(tmp_path / "a.csv").write_bytes(text.encode("latin-1"))
    data = vs.read(tmp_path / "a.csv")
    assert data.provenance is None and "could not be read" in data.notes[-1]


def test_a_stale_manifest_goes_and_a_stranger_stays(tmp_path):
    write(people(), tmp_path / "a.csv", provenance=Provenance((SYNTHETIC,)))
    write(people(seed=1), tmp_path / "a.csv")
    assert not manifest_path(tmp_path / "a.csv").exists() and vs.read(tmp_path / "a.csv").provenance is None
    manifest_path(tmp_path / "a.csv").write_text("my own notes")
    write(people(seed=1), tmp_path / "a.csv")
    assert manifest_path(tmp_path / "a.csv").read_text() == "my own notes"


def test_no_synthetic_file_without_its_manifest(tmp_path):
    manifest_path(tmp_path / "a.csv").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        write(people(), tmp_path / "a.csv", provenance=Provenance((SYNTHETIC,)))
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv.provenance.json"]


def test_rows_before_metadata_before_manifest(tmp_path):
    path = tmp_path / "a.parquet"
    write(with_columns(people(), Source("rows", "real", 60)), path, provenance=Provenance((SYNTHETIC,)))
    assert vs.read(path).provenance.sources[0].name == "rows"
    write(people(), path, provenance=Provenance((SYNTHETIC,)))
    other = {"format": 1, "sha256": json.loads(manifest_path(path).read_text())["sha256"],
             **Provenance((Source("beside", "real", 60),)).to_dict()}
    manifest_path(path).write_text(json.dumps(other))
    assert vs.read(path).provenance.sources == (SYNTHETIC,)


@pytest.fixture(scope="module")
def table():
    return vs.fit(people(100).to_arrow(), audit=False).sample(60, seed=1)


def test_an_arrow_file_of_pyarrow_tells(tmp_path, table):
    feather.write_feather(table, tmp_path / "a.arrow")
    assert vs.read(tmp_path / "a.arrow").provenance.generation == 1
    wide = pa.table({f"a column with a name that is long, number {i}": [1] for i in range(2000)})
    feather.write_feather(wide.replace_schema_metadata(table.schema.metadata), tmp_path / "wide.arrow")
    assert vs.read(tmp_path / "wide.arrow").provenance.generation == 1
    people().write_ipc(tmp_path / "b.arrow")
    assert vs.read(tmp_path / "b.arrow").provenance is None


def test_metadata_of_other_rows_is_said(tmp_path, table):
    more = pa.concat_tables([table, people(30, 1).to_arrow().cast(table.schema)])
    parquet.write_table(more, tmp_path / "b.parquet")
    data = vs.read(tmp_path / "b.parquet")
    assert data.provenance.rows == 60 and "60 rows come from, but there are 90" in data.notes[-1]


# -- on dataframes, through models ---------------------------------------------------------------------------------------
def test_generations_count_up_through_every_kind_of_dataframe(model):
    for native in (people(300).to_pandas(), people(300).to_arrow()):
        made = vs.fit(native, seed=0, audit=False).sample(200, seed=1)
        assert vs.read(made).provenance.sources == (Source("data", "synthetic", 200, "table.trees", 1),)
        with pytest.warns(UserWarning, match="100 % of the rows to learn from are synthetic"):
            again = vs.fit(made, seed=0, audit=False)
        assert again.info.generation == 2 and again.provenance(5).generation == 2
        assert again.info.notes[0].startswith("This model is of generation 2")
    assert vs.read(model.sample(5)).provenance is None  # polars has no place for it
    assert model.info.generation == 1 and model.info.provenance["synthetic_share"] == 0


def test_pandas_rows_that_were_chosen_still_tell():
    made = vs.fit(people(300).to_pandas(), seed=0, audit=False).sample(200, seed=1)
    data = vs.read(made[made["group"] == "a"])
    assert data.provenance.synthetic_share == 1 and "share by share" in data.notes[-1]
    made.attrs["verisyn"] = {"sources": 3}
    assert vs.read(made).provenance is None


def test_a_saved_model_remembers(tmp_path, model):
    frame = mixed(Source("r", "real", 200, licence="CC0"), Source("s", "synthetic", 100, "other", 3, "MIT"))
    first = vs.fit(frame, seed=0, audit=False)
    first.save(tmp_path / "m")
    back = vs.load(tmp_path / "m")
    assert back.info.generation == 4 and back.provenance(7) == first.provenance(7)
    assert back.provenance(7).sources[0].licence == "CC0 and MIT"
    state = json.loads((tmp_path / "m" / "model.json").read_text())
    del state["info"]["provenance"]  # a model of an earlier version
    (tmp_path / "m" / "model.json").write_text(json.dumps(state))
    assert vs.load(tmp_path / "m").info.generation == 1 and vs.load(tmp_path / "m").provenance(7).generation == 1


def test_columns_are_never_learnt(model):
    fitted = vs.fit(mixed(Source("r", "real", 200), SYNTHETIC), seed=0, audit=False)
    assert fitted.sample(3).columns == people().columns


# -- the guard ------------------------------------------------------------------------------------------------------------
def test_mostly_synthetic_rows_raise_an_alarm_and_few_do_not():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        quiet = vs.fit(mixed(Source("r", "real", 60), SYNTHETIC), seed=0, audit=False)
    assert not any("loses tails" in note for note in quiet.info.notes)
    progress = Progress()
    loud = vs.fit(mixed(Source("r", "real", 59), SYNTHETIC), seed=0, audit=False, progress=progress)
    assert "loses tails" in progress.notes[0] and progress.notes[0] in loud.info.notes


def test_policy_refuses_exactly_above_the_share():
    frame = mixed(Source("r", "real", 70), Source("d", "derived", 30))
    assert vs.fit(frame, seed=0, audit=False, max_synthetic=0.3).info.generation == 1
    with pytest.raises(Refused, match=r"30 % of the rows .* at most 29 % may be"):
        vs.fit(frame, max_synthetic=0.29)
    with pytest.raises(Refused):
        vs.synth(frame, max_synthetic=0)
    for bad in (1.5, -0.1, "half", True):
        with pytest.raises(UserError, match="a share of the rows"):
            vs.fit(frame, max_synthetic=bad)
    assert "taken for real" in vs.fit(people(), max_synthetic=0.5, audit=False).info.notes[0]


def test_the_command_line_refuses_before_it_works(tmp_path):
    mixed(Source("r", "real", 30), SYNTHETIC).write_parquet(tmp_path / "mix.parquet")
    for words in (("fit", tmp_path / "mix.parquet", "--out", tmp_path / "m"),
                  ("synth", tmp_path / "mix.parquet", "--out", tmp_path / "s")):
        done = run(*words, "--max-synthetic", "0.5")
        assert done.exit_code == 3 and "66.67 % of the rows" in done.output and not Path(words[-1]).exists()
    (tmp_path / "policy.yaml").write_text("fit: {max_synthetic: 0.4}\n")
    done = run("synth", tmp_path / "mix.parquet", "--out", tmp_path / "s", "--fail-under", tmp_path / "policy.yaml",
               "--max-synthetic", "0.9")
    assert done.exit_code == 3 and "at most 40 % may be" in done.output


@pytest.mark.parametrize(("text", "words"), [
    ("fit: 0.5", r"expected \{max_synthetic: 0.5\}"), ("fit: {max_synthetic: 2}", "a share from 0 to 1"),
    ("fit: {most: 0.5}", "line 1"), ("fit: {max_synthetic: .nan}", "a share from 0 to 1"), ("fit:", "fit")])
def test_a_policy_with_a_mistake_gets_a_sentence(text, words):
    with pytest.raises(UserError, match=words):
        Policy.from_yaml(text)


def test_a_policy_is_held_against_what_an_assessment_knows():
    policy = Policy.from_yaml("fit: {max_synthetic: 0.5}")
    rng = np.random.default_rng(0)
    fake = people(100, 1)
    mixture = mixed(Source("r", "real", 30), SYNTHETIC)
    found = vs.assess(fake, mixture, effort="quick")
    assert not policy.check(found).passed
    assert policy.check(found).failed[0].sentence == ("the synthetic share of the rows learnt from is 0.667; the policy "
                                                      "asks for at most 0.5.")
    plain = policy.check(vs.assess(fake, people(int(rng.integers(90, 91))), effort="quick"))
    assert plain.passed and "nothing tells" in plain.requirements[0].was


# -- rows made from single real rows --------------------------------------------------------------------------------------
def test_derived_rows_are_as_confidential_whatever_attacks_say():
    real, unseen, drawn = people(400, 0), people(400, 1), people(400, 2)
    plain = vs.assess(with_columns(drawn, Source("s", "synthetic", 400, "x", 1)), real, unseen, effort="quick")
    assert not any(f.name == "privacy.provenance" for f in plain.findings)
    noisy = pl.concat([with_columns(drawn[:300], Source("s", "synthetic", 300, "x", 1)),
                       with_columns(drawn[300:], Source("smote", "derived", 100))])
    found = vs.assess(noisy, real, unseen, effort="quick")
    card = found["privacy.provenance"]
    assert card.verdict == "poor" and card.value == 0.25 and "25.0% of them are made from single real rows" in card.reason
    assert "as confidential as those" in found.to_markdown()
    assert not Policy.from_yaml("privacy.*: {verdict: fair, unanswered: allow}").check(found).passed
    from verisyn.findings import Assessment
    assert Assessment.from_json(found.to_json()) == found


# -- the command line ------------------------------------------------------------------------------------------------------
def test_sample_and_synth_write_it_and_the_next_fit_reads_it(tmp_path):
    people(300).write_csv(tmp_path / "p.csv")
    assert run("fit", tmp_path / "p.csv", "--out", tmp_path / "m", "--no-audit").exit_code == 0
    out = tmp_path / "fake.csv"
    assert run("sample", tmp_path / "m", "--rows", 50, "--out", out).exit_code == 0
    assert json.loads(manifest_path(out).read_text())["sources"][0] == {
        "name": "p", "kind": "synthetic", "rows": 50, "generator": "table.trees", "generation": 1, "licence": ""}
    out.unlink()  # a manifest alone is not written over either
    assert run("sample", tmp_path / "m", "--rows", 50, "--out", out).exit_code == 2
    assert run("sample", tmp_path / "m", "--rows", 50, "--out", out, "--force").exit_code == 0
    done = run("fit", out, "--out", tmp_path / "m2", "--no-audit", "--json")
    assert json.loads(done.stdout)["generation"] == 2
    done = run("synth", out, "--out", tmp_path / "s", "--effort", "quick", "--no-curve")
    assert done.exit_code == 0
    told = json.loads((tmp_path / "s" / "run.json").read_text())
    assert told["provenance"]["generation"] == 2 and "synthetic.csv.provenance.json" in told["files"]
    assert any("generation 2" in note for note in told["notes"]) and len(set(told["notes"])) == len(told["notes"])
    assert vs.read(tmp_path / "s" / "synthetic.csv").provenance.generation == 2
