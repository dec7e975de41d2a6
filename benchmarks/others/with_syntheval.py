"""syntheval on one synthetic table against training and holdout rows; prints one line of JSON. Run in an environment of its own.

Its nearest-neighbour metrics hold whole distance matrices, so they get at most 6 200 rows. Missing values, which it does not
take, become a level or the median.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import warnings

import pandas as pd

os.environ["MPLBACKEND"] = "Agg"
import syntheval

warnings.filterwarnings("ignore")
fake, train, holdout = (pd.read_parquet(os.path.abspath(path)) for path in sys.argv[1:4])
target = sys.argv[4]
os.chdir(tempfile.mkdtemp())
levels = [c for c in train if not pd.api.types.is_numeric_dtype(train[c])]
for frame in (fake, train, holdout):
    for c in train:
        if c in levels:
            frame[c] = frame[c].astype(object).where(frame[c].notna(), "none").astype(str)
        else:
            frame[c] = frame[c].astype(float).fillna(train[c].median())
NAMES = {"h_dist": {}, "corr_diff": {}, "mi_diff": {}, "p_mse": {}, "nnaa": {}, "eps_risk": {}}
told = {}
for name, settings in NAMES.items():
    rows = min(6_200 if name in ("nnaa", "eps_risk") else len(train), len(train), len(holdout), len(fake))
    sides = [f.sample(rows, random_state=i).reset_index(drop=True) for i, f in enumerate((train, holdout, fake))]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            judge = syntheval.SynthEval(*sides[:2], cat_cols=levels, verbose=False, enable_plots=False, console="off")
            judge.evaluate(sides[2], analysis_target_var=target, **{name: settings})
        told |= {f"{name}.{k}": float(v) for k, v in judge._raw_results[name].items() if isinstance(v, int | float)}
    except Exception as e:
        told[f"{name}.error"] = f"{type(e).__name__}: {e}"[:120]
print(json.dumps(told))
