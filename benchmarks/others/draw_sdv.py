"""SDV on half a database (HMA) or on histories (PAR); run in an environment of its own (``pip install sdv pyarrow``).

    python draw_sdv.py HALVES/SET OUT [ENTITIES]

Links of several columns it does not take. Of ENTITIES, where given, only so many are learnt from: both are slow.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sdv.metadata import Metadata

warnings.filterwarnings("ignore")
source, out = Path(sys.argv[1]), Path(sys.argv[2])
most = int(sys.argv[3]) if len(sys.argv) > 3 else None
schema = json.loads((source / "schema.json").read_text())


def typed(frame, keys=()):
    """Days as moments, and a column's sdtype each: what a user would state."""
    told = {}
    for c in frame:
        x = frame[c]
        if x.dtype == object and x.notna().any() and x.dropna().map(lambda v: hasattr(v, "isoformat")).all():
            x = pd.to_datetime(x, errors="coerce")
        if pd.api.types.is_datetime64_any_dtype(x):  # moments of any other unit come back in 1970
            frame[c] = x = x.astype("datetime64[ns]")
        told[c] = {"sdtype": "id"} if c in keys else (
            {"sdtype": "datetime"} if pd.api.types.is_datetime64_any_dtype(x) else
            {"sdtype": "boolean"} if x.dtype == bool else
            {"sdtype": "numerical"} if pd.api.types.is_numeric_dtype(x) else {"sdtype": "categorical"})
    return told


def first(values, seed=0):
    """At most so many entities."""
    known = np.sort(values.unique())
    return np.random.default_rng(seed).permutation(known)[:most] if most and len(known) > most else known


def database():
    """Every table at the scale it was learnt at, by HMA."""
    from sdv.multi_table import HMASynthesizer

    frames = {t: pd.read_parquet(source / "train" / f"{t}.parquet") for t in schema["tables"]}
    links = [k for k in schema["links"] if len(k["columns"]) == 1 and k["parent"] != k["child"]]
    keys = {t: {k["columns"][0] for k in links if k["child"] == t} | set(
        table["key"] if table["key"] and len(table["key"]) == 1 else []) for t, table in schema["tables"].items()}
    chosen = first(frames[schema["subject"]][schema["tables"][schema["subject"]]["key"][0]])
    kept = {schema["subject"]: chosen}
    frames[schema["subject"]] = frames[schema["subject"]].set_index(schema["tables"][schema["subject"]]["key"][0]).loc[chosen].reset_index()
    for k in [k for k in links if k["owner"] and k["parent"] in kept]:
        frames[k["child"]] = frames[k["child"]][frames[k["child"]][k["columns"][0]].isin(chosen)].reset_index(drop=True)
    told = {"tables": {}, "relationships": [
        {"parent_table_name": k["parent"], "parent_primary_key": k["key"][0], "child_table_name": k["child"],
         "child_foreign_key": k["columns"][0]} for k in links]}
    for t, frame in frames.items():
        told["tables"][t] = {"columns": typed(frame, keys[t])}
        if (key := schema["tables"][t]["key"]) and len(key) == 1:
            told["tables"][t]["primary_key"] = key[0]
    model = HMASynthesizer(Metadata.load_from_dict(told), verbose=False)
    model.fit(frames)
    return model.sample_scale(scale=1.0)


def histories():
    """As many entities as were learnt from, by PAR."""
    from sdv.sequential import PARSynthesizer

    frame, key = pd.read_parquet(source / "train" / "data.parquet"), schema["entity"]
    frame = frame[frame[key].isin(first(frame[key]))].reset_index(drop=True)
    table = {"columns": typed(frame, (key,)), "sequence_key": key, "sequence_index": schema["time"]}
    if frame.duplicated([key, schema["time"]]).any():  # it wants no index that repeats
        table.pop("sequence_index")
    metadata = Metadata.load_from_dict({"tables": {"data": table}})
    model = PARSynthesizer(metadata, context_columns=schema["statics"], verbose=False, cuda=False)
    model.fit({"data": frame})
    return model.sample_sequences(num_sequences=int(frame[key].nunique()))


def main():
    made = database() if "tables" in schema else histories()
    out.mkdir(parents=True, exist_ok=True)
    for name, frame in made.items():
        frame.to_parquet(out / f"{name}.parquet", index=False)
    print(json.dumps({"rows": {name: len(frame) for name, frame in made.items()}}))


if __name__ == "__main__":
    main()
