"""mostlyai-qa on one synthetic table against training and holdout rows; prints one line of JSON. Run in an environment of its own.

Its accuracy, discriminator and distances are computed by its own functions in the order of its report, without the pictures.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from mostlyai.qa import _accuracy, _distances, _similarity
from mostlyai.qa._sampling import prepare_data_for_accuracy, prepare_data_for_embeddings
from mostlyai.qa.random_state import set_random_state

warnings.filterwarnings("ignore")
set_random_state(0)
fake, train, holdout = (pd.read_parquet(path) for path in sys.argv[1:4])
seen = prepare_data_for_accuracy(df_tgt=train.copy(), setup="1:1")
types = seen.dtypes.to_dict()
unseen, made = (prepare_data_for_accuracy(df_tgt=f[train.columns].copy(), setup="1:1", ori_dtypes=types)
                for f in (holdout, fake))
real, bins = _accuracy.bin_data(pd.concat([seen, unseen], ignore_index=True), bins=10)
binned, _ = _accuracy.bin_data(made, bins=bins)
told = {}
for name in ("univariates", "bivariates", "trivariates"):
    table = getattr(_accuracy, f"calculate_{name}")(real, binned)
    told[name[:-8]] = float(table.accuracy.astype(float).mean())
    told[f"{name[:-8]}_max"] = float(table.accuracy_max.astype(float).mean())
told["overall"] = float(np.mean([told[k] for k in ("uni", "bi", "tri")]))
points = prepare_data_for_embeddings(syn_tgt_data=fake[train.columns], trn_tgt_data=train,
                                     hol_tgt_data=holdout[train.columns], max_sample_size=None)
sides = dict(zip(("syn_embeds", "trn_embeds", "hol_embeds"), points, strict=True))
told["auc"] = float(_similarity.calculate_discriminator_auc(**sides)[1])
found = _distances.calculate_distances(**sides)
told["dcr_share"] = float(_distances.calculate_dcr_share(found["dcr_syn_trn"], found["dcr_syn_hol"]))
print(json.dumps(told))
