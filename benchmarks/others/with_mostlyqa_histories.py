"""mostlyai-qa on synthetic histories; prints one line of JSON. Run in an environment of its own (``pip install mostlyai-qa``).

    python with_mostlyqa_histories.py HALVES/SET SYNTHETIC/data.parquet [MOST]

Its sequential accuracy, by its own functions in the order of its report, without the pictures: the mean of the accuracies of single
columns, pairs (also with the entity's statics and with the next row), triples, and coherence. Of more than MOST entities a sample is
taken. The real side is both halves together, as in its report.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from mostlyai.qa import _accuracy, _coherence
from mostlyai.qa._sampling import prepare_data_for_accuracy, prepare_data_for_coherence
from mostlyai.qa.random_state import set_random_state

warnings.filterwarnings("ignore")
set_random_state(0)
source, schema = Path(sys.argv[1]), json.loads((Path(sys.argv[1]) / "schema.json").read_text())
most = int(sys.argv[3]) if len(sys.argv) > 3 else None
key, statics = schema["entity"], schema["statics"]


def side(path):
    """Rows, and the entities' statics, of one side; days as moments."""
    frame = pd.read_parquet(path)
    frame = frame[frame[key].notna()].sort_values([key, schema["time"]], kind="stable")
    for c in frame:
        if frame[c].dtype == object and frame[c].notna().any() and frame[c].dropna().map(lambda v: hasattr(v, "isoformat")).all():
            frame[c] = pd.to_datetime(frame[c], errors="coerce")
    rows = frame.drop(columns=statics).reset_index(drop=True)
    return rows, frame[[key, *statics]].drop_duplicates(key).reset_index(drop=True) if statics else None


def prepared(rows, entities, types=None):
    """One row an entity: two rows that follow each other, their number, the statics."""
    context = {} if entities is None else {"df_ctx": entities, "ctx_primary_key": key}
    return prepare_data_for_accuracy(df_tgt=rows.copy(), tgt_context_key=key, setup="1:N", max_sample_size=most, ori_dtypes=types, **context)


def mean(table):
    return float(table.accuracy.astype(float).mean())


seen, unseen, made = (side(p) for p in (source / "train" / "data.parquet", source / "hold" / "data.parquet", sys.argv[2]))
train = prepared(*seen)
types = train.dtypes.to_dict()
real, bins = _accuracy.bin_data(pd.concat([train, prepared(*unseen, types)], ignore_index=True), bins=10)
fake, _ = _accuracy.bin_data(prepared(*made, types), bins=bins)
uni, tri = _accuracy.calculate_univariates(real, fake), _accuracy.calculate_trivariates(real, fake)
pairs = _accuracy.calculate_bivariates(real, fake)
both = pd.concat([seen[0], unseen[0]])
long, long_bins = prepare_data_for_coherence(df_tgt=both, tgt_context_key=key, max_sample_size=most)
short, _ = prepare_data_for_coherence(df_tgt=made[0], tgt_context_key=key, bins=long_bins, max_sample_size=most)
per_entity, edges = _accuracy.bin_data(_coherence.calculate_distinct_categories_per_sequence(df=long, context_key=key), bins=10)
theirs, _ = _accuracy.bin_data(_coherence.calculate_distinct_categories_per_sequence(df=short, context_key=key), bins=edges)
cats = _coherence.calculate_distinct_categories_per_sequence_accuracy(ori_binned_cats_per_seq=per_entity, syn_binned_cats_per_seq=theirs)
_, tops, top, _ = _coherence.calculate_sequences_per_distinct_category(df=long, context_key=key)
_, their_tops, _, _ = _coherence.calculate_sequences_per_distinct_category(df=short, context_key=key, top_cats=top)
seqs = _coherence.calculate_sequences_per_distinct_category_accuracy(ori_seqs_per_top_cat_cnts=tops, syn_seqs_per_top_cat_cnts=their_tops)
told = {"uni": mean(uni), "bi": mean(pairs[pairs.type != "nxt"]), "tri": mean(tri)}
following = mean(pairs[pairs.type == "nxt"])
told["coherence"] = float(np.mean([following, mean(cats), mean(seqs)]))
told["overall"] = float(np.mean(list(told.values())))
told["next"] = following
print(json.dumps({k: round(v, 4) for k, v in told.items()}))
