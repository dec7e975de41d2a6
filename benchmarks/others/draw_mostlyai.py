"""MOSTLY AI on half a database or on histories; run in an environment of its own (``pip install "mostlyai[local]" pyarrow``).

    python draw_mostlyai.py HALVES/SET OUT MINUTES

Each table is trained on for at most MINUTES of CPU: the clock that its training looks at is the CPU seconds of its process, so
that a busy machine takes nothing from it. Its owner link is the context, all other links of one column are matched by its own model.
Histories are given as two tables, the entities' statics as the context of the rows. Links of several columns it does not have.
Rare values are replaced by frequent ones (its option SAMPLE): its default writes ``_RARE_``, which tells synthetic from real.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd

os.environ.setdefault("HF_HUB_OFFLINE", "1")
CLOCK = "import time; began = time.time(); time.time = lambda: began + time.process_time()"
source, out, minutes = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
schema = json.loads((source / "schema.json").read_text())


def plain(frame):
    """Text as objects, days as moments: what its readers take."""
    for c in frame:
        if frame[c].dtype == object and frame[c].dropna().map(lambda v: hasattr(v, "isoformat")).all() and frame[c].notna().any():
            frame[c] = pd.to_datetime(frame[c], errors="coerce")
    return frame


def database():
    """Tables for its configuration, from a database."""
    tables = []
    for name, table in schema["tables"].items():
        keys = [{"column": k["columns"][0], "referenced_table": k["parent"], "is_context": k["owner"]}
                for k in schema["links"] if k["child"] == name and len(k["columns"]) == 1 and k["parent"] != name]
        tables.append({"name": name, "data": plain(pd.read_parquet(source / "train" / f"{name}.parquet")),
                       "foreign_keys": keys or None})
        if table["key"] and len(table["key"]) == 1:
            tables[-1]["primary_key"] = table["key"][0]
    return tables


def histories():
    """Two tables: the entities, and their rows in order."""
    frame, key = plain(pd.read_parquet(source / "train" / "data.parquet")), schema["entity"]
    return [{"name": "entities", "data": frame[[key, *schema["statics"]]].drop_duplicates(key), "primary_key": key},
            {"name": "data", "data": frame.drop(columns=schema["statics"]),
             "foreign_keys": [{"column": key, "referenced_table": "entities", "is_context": True}]}]


def main():
    from mostlyai.sdk import MostlyAI

    tables = database() if "tables" in schema else histories()
    for t in tables:
        t["tabular_model_configuration"] = {"max_training_time": minutes, "enable_model_report": False}
    clock = Path(tempfile.mkdtemp())
    (clock / "sitecustomize.py").write_text(CLOCK)
    os.environ["PYTHONPATH"] = str(clock)  # for the processes it starts to train in
    client = MostlyAI(local=True, local_dir=tempfile.mkdtemp(), quiet=True)
    generator = client.train(config={"name": "bench", "random_state": 0, "tables": tables}, progress_bar=False)
    setting = {"enable_data_report": False, "rare_category_replacement_method": "SAMPLE"}
    made = client.generate(generator, config={"random_state": 0, "tables": [
        {"name": t["name"], "configuration": setting} for t in tables]}, progress_bar=False).data()
    out.mkdir(parents=True, exist_ok=True)
    if "tables" not in schema:
        key, rows = schema["entity"], made["data"]
        made = {"data": rows.merge(made["entities"], on=key, how="left").sort_values(key, kind="stable")}
    for name, frame in made.items():
        frame.to_parquet(out / f"{name}.parquet", index=False)
    print(json.dumps({"rows": {name: len(frame) for name, frame in made.items()}}))


if __name__ == "__main__":
    main()
