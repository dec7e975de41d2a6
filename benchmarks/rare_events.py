"""Rare events: synthetic ones beside class weights, repeats and SMOTE, for a model tested on unseen real rows.

Usage::

    export VERISYN_DATA=<folder of NAME/data.parquet>
    python benchmarks/rare_events.py [--repeats 5] [--sets ai4i2020,pima]

Each set is split so many times, three tenths held out; every way aims at half events. Gains are over the real rows as
they are, paired over splits, with 95 % intervals (Nadeau and Bengio 2003). `few` keeps 40 events (and as few others in
proportion): that is where a generator could help. With imbalanced-learn installed its SMOTENC is a way, too.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import polars as pl

from verisyn import rarity

SETS = {"ai4i2020": ("Machine_failure", 1, ("TWF", "HDF", "PWF", "OSF", "RNF")), "bank_marketing": ("y", "yes", ()),
        "german_credit": ("class", 2, ()), "pima": ("Outcome", 1, ()), "heart_cleveland": ("num", None, ()),
        "telco_churn": ("Churn", "Yes", ()), "adult": ("income", ">50K", ())}
FEW = 40


def smotenc(case, model):
    """SMOTENC of imbalanced-learn, on rows without missing values."""
    from imblearn.over_sampling import SMOTE, SMOTENC

    frame = case.train.drop_nulls()
    rest = frame.drop(case.target)
    words = [i for i, c in enumerate(rest) if not c.dtype.is_numeric()]
    levels = [rest[:, i].cast(pl.String).unique(maintain_order=True).to_list() for i in range(rest.width)]
    codes = np.column_stack([rest[:, i].cast(pl.String).replace_strict({v: j for j, v in enumerate(levels[i])}).to_numpy()
                             if i in words else rest[:, i].cast(pl.Float64).to_numpy() for i in range(rest.width)])
    wanted = {1: max(int(case.is_event(frame).sum()), int((~case.is_event(frame)).sum()))}
    sampler = (SMOTENC(categorical_features=words, random_state=case.seed, sampling_strategy=wanted) if words
               else SMOTE(random_state=case.seed, sampling_strategy=wanted))
    x, y = sampler.fit_resample(codes.astype(float), case.is_event(frame).astype(int))
    back = {rest.columns[i]: pl.Series([levels[i][int(v)] for v in x[:, i]], dtype=pl.String) if i in words
            else pl.Series(x[:, i]) for i in range(rest.width)}
    made = pl.DataFrame({n: s.cast(rest[n].dtype, strict=False) for n, s in back.items()})
    other = next(v for v in case.train[case.target].to_list() if v != case.event)
    label = pl.Series(case.target, [case.event if v else other for v in y], dtype=case.train[case.target].dtype)
    return made.with_columns(label).select(case.train.columns), None


def few(frame: pl.DataFrame, target: str, event: object, seed: int = 0) -> pl.DataFrame:
    """Return rows among which there are FEW events that may be learnt from, in the set's own proportion."""
    events = int((frame[target] == event).sum())
    kept = min(1.0, FEW / 0.7 / events)
    return frame.filter(np.random.default_rng(seed).random(frame.height) < kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="splits; four times as many of fewer than 2 000 rows")
    parser.add_argument("--sets", default=",".join(SETS))
    options = parser.parse_args()
    try:
        import imblearn  # noqa: F401

        rarity.WAYS["SMOTENC of imbalanced-learn"] = smotenc
    except ImportError:
        print("imbalanced-learn is not installed: its SMOTENC is left out.\n")
    ways = [name for name in rarity.WAYS if name != rarity.ALONE]
    print(f"Average precision on unseen real rows; gains over real rows as they are\n\n| set | rows | events | real | "
          f"{' | '.join(ways)} | CPU s |\n{'|---' * (5 + len(ways))}|")
    for name in options.sets.split(","):
        target, event, leaks = SETS[name]
        whole = pl.read_parquet(Path(os.environ["VERISYN_DATA"]) / name / "data.parquet").drop(leaks)
        if name == "heart_cleveland":
            whole, event = whole.with_columns((pl.col(target) > 0).cast(pl.Int64)), 1
        for size, frame in (("", whole), (" few", few(whole, target, event))):
            if size and frame.height > whole.height / 2:
                continue
            start = time.process_time()
            repeats = options.repeats * (4 if frame.height < 2_000 else 1)
            found = rarity.rare(frame, target, event=event, repeats=repeats)
            items = {i["name"]: i for i in found["rare.average_precision"].details["items"]}
            gains = [items[w]["note"].removeprefix("gain ") for w in ways]
            print(f"| {name}{size} | {frame.height:,} | {found.about['events']:,} | {items[rarity.ALONE]['value']:.3f} | "
                  f"{' | '.join(gains)} | {time.process_time() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()
