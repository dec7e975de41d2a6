"""A schema that names part of the data only: that part is made, and what goes without is said."""

import numpy as np
import polars as pl
import pytest

import verisyn as vs
from verisyn.story import tell


@pytest.mark.parametrize("named", ["as the file is", "otherwise"])
def test_a_schema_of_part_of_the_data_makes_that_part_and_says_so(named, tmp_path):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"unit": np.repeat(np.arange(60), 10), "step": np.tile(np.arange(10), 60),
                          "level": rng.normal(0, 1, 600).cumsum().round(2), "site": rng.choice(["a", "b"], 600)})
    frame.write_csv(tmp_path / "units.csv")
    schema = vs.describe(tmp_path / "units.csv", entity="unit", time="step",
                         name="other" if named == "otherwise" else None)
    part = schema.model_copy(update={"tables": (schema.table.of(["unit", "step", "level"]),)})
    story = tell(str(tmp_path / "units.csv"), schema=part, effort="quick")
    assert story.data.columns == ["unit", "step", "level"]
    assert "The schema does not name 'site'; the synthetic data goes without." in story.notes
    story.save(tmp_path / "out")
    model = vs.load(tmp_path / "out" / "model")
    assert vs.assess(model.sample(seed=3), frame, model=model, effort="quick").findings


def test_a_schema_of_some_tables_makes_these_and_says_so():
    rng = np.random.default_rng(0)
    shop = {"people": pl.DataFrame({"id": np.arange(80), "town": rng.choice(["x", "y"], 80)}),
            "orders": pl.DataFrame({"people_id": rng.integers(0, 80, 200), "paid": rng.gamma(2, 5, 200).round(2)}),
            "weather": pl.DataFrame({"day": np.arange(60), "rain": rng.random(60).round(3)})}
    schema = vs.describe(shop)
    kept = schema.model_copy(update={"tables": tuple(t for t in schema.tables if t.name != "weather")})
    story = tell(shop, schema=kept, effort="quick")
    assert set(story.data) == {"people", "orders"}
    assert "The schema does not name the table 'weather'; the synthetic data goes without." in story.notes
    alone = schema.model_copy(update={"tables": (schema.of("weather"),), "links": ()})
    assert vs.synth(shop, schema=alone).columns == ["day", "rain"]
