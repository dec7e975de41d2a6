"""anonymeter on one synthetic table against training and holdout rows; prints one line of JSON. Run in an environment of its own."""

import json
import logging
import sys
import warnings

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)
fake, train, holdout = (pd.read_parquet(path) for path in sys.argv[1:4])
secrets = sys.argv[5:]
for frame in (train, holdout, fake):
    for c in train:
        number = pd.api.types.is_numeric_dtype(train[c])
        frame[c] = frame[c].astype(float) if number else frame[c].where(frame[c].notna(), "none").astype(str).astype(object)
tries, columns = min(500, len(train), len(holdout)), list(train)
sides = {"ori": train, "syn": fake, "control": holdout, "n_attacks": tries}
half = len(columns) // 2
ATTACKS = {
    "singling_uni": (lambda: SinglingOutEvaluator(**sides, seed=0, max_attempts=200_000), {"mode": "univariate"}),
    "singling_multi": (lambda: SinglingOutEvaluator(**sides, seed=0, n_cols=4, max_attempts=200_000), {"mode": "multivariate"}),
    "linkage": (lambda: LinkabilityEvaluator(**sides, aux_cols=(columns[:half], columns[half:])), {"n_jobs": 1}),
    **{f"inference {s}": (lambda s=s: InferenceEvaluator(
        **sides, secret=s, regression=pd.api.types.is_numeric_dtype(train[s]), aux_cols=[c for c in columns if c != s]),
        {"n_jobs": 1}) for s in secrets}}
told = {}
for name, (make, settings) in ATTACKS.items():
    np.random.seed(0)
    try:
        judge = make()
        judge.evaluate(**settings)
        risk = judge.risk()
        told[name] = [risk.value, *risk.ci]
    except Exception as e:
        told[name] = f"{type(e).__name__}: {e}"[:120]
print(json.dumps(told))
