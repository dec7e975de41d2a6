"""A made-up assessment of the form that the metrics give: every kind of detail that a report draws."""

from __future__ import annotations

import numpy as np

from verisyn.findings import Assessment, Finding
from verisyn.schema import Column, Table

NASTY = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>&\u2028'\""
RUN = {"versions": {"verisyn": "0.1.0", "python": "3.12.1", "numpy": "2.1.0"}, "seed": 7, "generator": "table.trees",
       "rows": {"source": 48842, "train": 39073, "holdout": 9769, "synthetic": 48842},
       "stages": [{"name": "read", "cpu_seconds": 0.31, "wall_seconds": 0.3, "peak_mb": 180.4},
                  {"name": "fit", "cpu_seconds": 14.2, "wall_seconds": 7.9, "peak_mb": 612.0},
                  {"name": "assess", "cpu_seconds": 21.0, "wall_seconds": 13.2, "peak_mb": None}],
       "files": {"synthetic.csv": "9f" * 32, "model/model.json": "1c" * 32}}



def shares(rng, n):
    real = rng.gamma(2.0, size=n)
    fake = np.clip(real * rng.normal(1, 0.12, n), 0.001, None)
    return (real / real.sum()).tolist(), (fake / fake.sum()).tolist()


def column(i, name, rng):
    kind = ("number", "category", "time", "duration")[i % 4]
    made = {"name": name, "type": kind, "value": round(float(1 - rng.beta(1, 18)), 4), "ks": 0.02,
            "missing_real": 0.031 if i % 3 == 0 else 0.0, "missing_fake": 0.029 if i % 3 == 0 else 0.0}
    if kind == "category":
        made["labels"] = ["Married-civ-spouse", "Never-married", "Divorced", "Separated", "Widowed", "Absent", "AF",
                          "Craft-repair", "Sales", "Armed-Forces", "other"][:3 + i % 9]
        made["real"], made["fake"] = shares(rng, len(made["labels"]))
        return made
    inner = np.linspace(*{"number": (17, 90), "time": (9e8, 1.2e9), "duration": (0, 9e5)}[kind], 25)
    made["edges"] = [float(inner[0] - 20), *map(float, inner), float(inner[-1] * 9)]
    made["real"], made["fake"] = shares(rng, 26)
    return made


def assessment(columns=15, name=str, seed=0):
    """Make findings of the form that the metrics give, for a table of so many columns."""
    rng = np.random.default_rng(seed)
    base = ("age", "workclass", "hired", "tenure", "capital gain", "marital status", "last seen", "commute", "hours",
            "occupation", "first claim", "time to answer", "education", "income", "birth")
    names = [name(base[i] if i < 15 else f"column {i}") for i in range(columns)]
    told = [column(i, n, rng) for i, n in enumerate(names)]
    strength = rng.uniform(0, 1, (len(names), len(names))) ** 3
    real = ((strength + strength.T) / 2).round(3)
    fake = np.clip(real + rng.normal(0, 0.05, real.shape), 0, 1).round(3)
    curve = [[float(x), float(min(1.0, x ** 0.84))] for x in np.linspace(0, 1, 41)]
    worst = [{"a": names[0], "b": names[1], "value": 0.81}, {"a": names[2], "b": names[0], "value": 0.86}]
    return Assessment((
        Finding("fidelity.marginals", "Are the columns alike?", "good",
                "Columns agree on 98.6 % of rows, real rows on 99.1 %.",
                "Good where the gap to real rows is under 0.02.",
                0.986, (0.984, 0.988), 0.989, 0.991, {"columns": told}, best=1.0, worst=0.0, p=0.2,
                definition="How alike each column is.\n\nBins hold equal shares\nof the rows.",
                references=("https://doi.org/10.1000/182", "javascript:alert(1)")),
        Finding("fidelity.pairs", "Do columns hang together as in the real data?", "good",
                "Pairs agree on 96.4 % of rows, against 97.6 % between real rows.",
                "Good where the gap is small.", 0.964, (0.961, 0.967), 0.873, 0.976,
                {"names": names[:40], "real": real[:40, :40].tolist(), "fake": fake[:40, :40].tolist(),
                 "worst": worst}),
        Finding("fidelity.two_sample", "Can a classifier tell synthetic rows from real rows?", "fair",
                "A classifier ranks a synthetic row above a real one 57.3 % of the time; 50 % is guessing.",
                "Fair up to 0.65.", 0.573, (0.564, 0.582), 0.941, 0.501,
                {"top": [{"name": n, "gain": 0.04 / 2 ** i} for i, n in enumerate(names[:6])],
                 "roc": curve, "rows": 9769}, p=0.031, best=0.5, worst=1.0),
        Finding("fidelity.reach", "Are all kinds of row reached?", "poor", "'Widowed' is reached by 4 % of rows only.",
                "Poor below 0.8.", 0.71, (0.69, 0.73), 0.68, 0.97, {
                    "items": [{"name": names[i % len(names)], "value": 0.1 * i, "reference": 0.1 * i + 0.05,
                               "interval": [0.1 * i - 0.02, 0.1 * i + 0.02], "note": "of 40 rows"} for i in range(1, 6)],
                    "items_say": {"value": "share reached", "reference": "share of real rows that real rows reach"},
                    "map": {"axes": [f"mostly {names[0]!r}", "nothing"], "explained": [0.3, 0.2], "cells": 24,
                            "real": [[0, 3, 0.4], [7, 8, 0.1]], "fake": [[0, 3, 0.3], [23, 23, 0.01]],
                            "real_left_out": 0.04}}, p=1e-9, best=1.0, worst=0.0),
        Finding("utility.tstr", "Does a model learnt on it work on real rows?", "good",
                "Trained on synthetic rows, a model predicts income with AUC 0.919; trained on real rows, 0.927.",
                "Good within 0.02 of real rows.", 0.919, (0.912, 0.925), 0.5, 0.927,
                {"target": "income", "task": "classification", "score_name": "AUC", "tstr": 0.919, "trtr": 0.927}),
        Finding("privacy.copies", "Are real rows copied?", "good",
                "0.04 % of synthetic rows equal a row the model saw; among real strangers it is 0.05 %.",
                "Good where no more.", 0.0004, (0.0002, 0.0007), 0.0, 0.0005, {"rows": 39073, "checks": [
                    {"what": "exact rows", "share": 0.0004, "strangers": 0.0005, "excess": -0.0001,
                     "interval": [-0.0004, 0.0003]}]}),
        Finding("privacy.nearest_record", "Do synthetic rows crowd around the rows that were seen?", "good",
                "50.3 % of synthetic rows lie nearer to a row that was seen than to one that was not.",
                "Good up to 0.52.", 0.503, (0.496, 0.510), 0.499, 0.5),
        Finding("privacy.membership", "Can an attacker tell who was in the data?", "good",
                "The attack ranks a row that was seen above one that was not 50.9 % of the time; 50 % is guessing.",
                "Good where the interval reaches 0.51.", 0.509, (0.499, 0.519), 0.5, 0.5,
                {"roc": [[x, min(1.0, x * 1.02)] for x in (0.0, 0.25, 0.5, 0.75, 1.0)], "caught": 0.011,
                 "caught_interval": [0.009, 0.013], "exposed": [
                     {"kind": f"{names[0]} of 90 or more", "rows": 41, "auc": 0.61, "interval": [0.55, 0.67]}]},
                best=0.5, worst=1.0, p=0.9),
        Finding("privacy.linkage", "Can half rows be joined?", "not answered",
                "Not answered, because fewer than 200 rows have both halves."),
    ), {"source": "adult", "target": "income", "effort": "standard", "seed": 7,
        "rows": {"synthetic": 48842, "train": 39073, "holdout": 9769},
        "judged": {"synthetic": 39073, "train": 39073, "holdout": 9769}, "notes": ["Judged by a sample of 10,000 rows."]})


def table(found):
    told = found["fidelity.marginals"].details["columns"]
    return Table(name="adult", columns=tuple(Column(name=c["name"], kind=c["type"]) for c in told))


def many(verdicts):
    """Make an assessment with this many findings a question, of these verdicts in turn."""
    questions = {"fidelity": 13, "utility": 5, "privacy": 9, "fairness": 4}
    found = [Finding(f"{q}.number_{i}", f"Is the {i}th thing that {q} asks about as it is in real data?",
                     verdicts[i % len(verdicts)], f"The {i}th thing of {q} is {0.9 - i / 50:.2f} in synthetic rows; real "
                     "rows reach 0.95, and columns drawn alone 0.4.", "good: near real rows; poor: otherwise",
                     0.9 - i / 50, (0.85 - i / 50, 0.92 - i / 50), 0.4, 0.95, p=0.5, best=1.0, worst=0.0)
             for q, count in questions.items() for i in range(count)]
    return Assessment(tuple(found), {"source": "adult", "rows": {"synthetic": 900, "train": 900, "holdout": 300}})
