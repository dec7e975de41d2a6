"""sdmetrics on one synthetic table against the training rows; prints one line of JSON. Run in an environment of its own."""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from sdmetrics.reports.single_table import QualityReport
from sdmetrics.single_column import BoundaryAdherence, CategoryCoverage
from sdmetrics.single_table import LogisticDetection, NewRowSynthesis

warnings.filterwarnings("ignore")
np.random.seed(0)
fake, train = (pd.read_parquet(path) for path in sys.argv[1:3])
numbers = [c for c in train if pd.api.types.is_numeric_dtype(train[c]) and train[c].dtype != bool]
others = [c for c in train if c not in numbers]
meta = {"columns": {c: {"sdtype": "numerical" if c in numbers else "categorical"} for c in train}}
report = QualityReport()
report.real_correlation_threshold = report.real_association_threshold = 0  # count every pair, not only dependent ones
report.generate(train, fake, meta, verbose=False)
scores = {p["Property"]: float(p["Score"]) for p in report.get_properties().to_dict("records")}
known = np.ones(len(fake), bool)
for c in others:  # its detection refuses categories that the real rows lack
    known &= (fake[c].isin(train[c].dropna().unique()) | fake[c].isna()).to_numpy()
print(json.dumps({
    "shapes": scores["Column Shapes"], "trends": scores["Column Pair Trends"],
    "boundary": float(np.mean([BoundaryAdherence.compute(train[c], fake[c]) for c in numbers])),
    "coverage": float(np.mean([CategoryCoverage.compute(train[c], fake[c]) for c in others])),
    "new_rows": float(NewRowSynthesis.compute(train, fake, meta, synthetic_sample_size=min(1000, len(fake)))),
    "detection": float(LogisticDetection.compute(train.copy(), fake[known].reset_index(drop=True), meta))}))
