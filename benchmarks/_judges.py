"""What neutral scorers share: tables as numbers, a judge that tells two sides apart, distances of distributions, nearest rows.

Nothing of verisyn is used here: scikit-learn, numpy and polars only.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import polars.selectors as cs

LEVELS, ROWS = 60, 5000
PERSONAL = re.compile(r"address|phone|fax|e-?mail|postal|zip|name", re.IGNORECASE)
"""Text of which other values are made up by whoever protects people: a judge that saw it would tell nothing else."""


def like(frame: pl.DataFrame, real: pl.DataFrame) -> pl.DataFrame:
    """Return a table with the columns and the types of the real one; what cannot be one of its values is missing."""
    made = []
    for c, dtype in real.schema.items():
        if c not in frame.columns:
            made.append(pl.lit(None, dtype).alias(c))
        elif dtype.is_temporal() and frame[c].dtype == pl.String:
            made.append(pl.col(c).str.slice(0, 19).str.to_datetime(strict=False).cast(dtype, strict=False))
        elif dtype.is_integer() and frame[c].dtype == pl.String:
            made.append(pl.col(c).cast(pl.Float64, strict=False).cast(dtype, strict=False))
        else:
            made.append(pl.col(c).cast(dtype, strict=False))
    return frame.select(made)


def named(frame: pl.DataFrame) -> set[str]:
    """Columns that are no distribution: personal text, and text that no two rows share."""
    texts = {c: x for c, x in frame.to_dict(as_series=True).items() if x.dtype == pl.String}
    return {c for c, x in texts.items() if PERSONAL.search(c) or x.n_unique() == len(x)}


def keys(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Return key columns as text, so that 3, 3.0 and "3" are one key."""
    def text(c: str) -> pl.Expr:
        return pl.col(c).cast(pl.Int64, strict=False).cast(pl.String) if frame[c].dtype.is_numeric() else pl.col(c).cast(pl.String)
    return frame.select(text(c).alias(f"key{i}") for i, c in enumerate(columns))


class Coder:
    """Tables as numbers: moments as seconds; categories by how frequent they are, levels that not both real halves have as one.

    The last is so that a level that belongs to one customer (her city) tells no half from the other.
    """

    def __init__(self, real: pl.DataFrame, seen: pl.DataFrame) -> None:
        self.levels: dict[str, list] = {}
        self.numbers: list[str] = []
        for c, x in real.to_dict(as_series=True).items():
            if x.dtype.is_numeric() or x.dtype.is_temporal():
                if x.n_unique() > 1:
                    self.numbers.append(c)
            else:
                both = x.filter(x.is_in(seen[c].unique().implode()))
                if levels := both.drop_nulls().value_counts(sort=True)[c].head(LEVELS).to_list():
                    self.levels[c] = levels
        self.names = [*self.numbers, *self.levels]

    @property
    def categories(self) -> list[bool]:
        return [False] * len(self.numbers) + [True] * len(self.levels)

    def __call__(self, frame: pl.DataFrame) -> np.ndarray:
        """Return (rows, columns) float64; missing is NaN."""
        moments = frame.select(cs.temporal()).columns
        numbers = [pl.col(c).cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float64) if c in moments else pl.col(c).cast(pl.Float64)
                   for c in self.numbers]
        codes = [pl.when(pl.col(c).is_null()).then(None).otherwise(pl.col(c).replace_strict(
                     levels, [float(i) for i in range(len(levels))], default=float(len(levels)), return_dtype=pl.Float64)).alias(c)
                 for c, levels in self.levels.items()]
        made = frame.select(*numbers, *codes) if self.names else pl.DataFrame()
        return made.fill_null(np.nan).to_numpy().astype(float).reshape(frame.height, len(self.names))


def told_apart(real: np.ndarray, fake: np.ndarray, categories: list[bool] | None = None, groups: tuple | None = None,
               seed: int = 0) -> float | None:
    """AUC of boosted trees that tell the two sides apart, by 3 folds; 0.5 where they cannot. At most 5000 rows of each side."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    rng, folds = np.random.default_rng(seed), 3
    n = min(len(real), len(fake), ROWS)
    if n < 30 or not real.shape[1]:
        return None
    chosen = [rng.permutation(len(side))[:n] for side in (real, fake)]
    X, y = np.vstack([real[chosen[0]], fake[chosen[1]]]), np.repeat([0, 1], n)
    own = [g[c] for g, c in zip(groups, chosen, strict=True)] if groups is not None else [np.arange(n)] * 2
    fold = np.concatenate([rng.permutation(np.unique(g, return_inverse=True)[1].max() + 1)[
        np.unique(g, return_inverse=True)[1]] % folds for g in own])
    scores = []
    for k in range(folds):
        model = HistGradientBoostingClassifier(max_iter=80, random_state=seed, early_stopping=False,
                                               categorical_features=categories if categories and any(categories) else None)
        inner, outer = fold != k, fold == k
        if len(np.unique(y[outer])) == 2 and len(np.unique(y[inner])) == 2:
            scores.append(roc_auc_score(y[outer], model.fit(X[inner], y[inner]).predict_proba(X[outer])[:, 1]))
    return float(max(np.mean(scores), 0.5)) if scores else None


def ks(real: np.ndarray, fake: np.ndarray) -> float:
    """Kolmogorov and Smirnov's distance of two samples."""
    if not len(real) or not len(fake):
        return 1.0
    at = np.union1d(real, fake)
    return float(np.abs(np.searchsorted(np.sort(real), at, "right") / len(real)
                        - np.searchsorted(np.sort(fake), at, "right") / len(fake)).max())


def bins(real: np.ndarray, many: int) -> np.ndarray:
    """Cuts at the quantiles of the real values."""
    known = real[~np.isnan(real)]
    return np.unique(np.quantile(known, np.linspace(0, 1, many + 1)[1:-1])) if len(known) else np.empty(0)


def binned(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Which bin each value is in; missing values have one of their own."""
    return np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, np.nan_to_num(values), "right"))


def apart(real: tuple[np.ndarray, np.ndarray], fake: tuple[np.ndarray, np.ndarray]) -> float:
    """Total variation distance of two pairs of binned columns."""
    if not len(real[0]) or not len(fake[0]):
        return 1.0
    wide = int(max(real[1].max(), fake[1].max())) + 1
    joint = [side[0] * wide + side[1] for side in (real, fake)]
    size = int(max(j.max() for j in joint)) + 1
    shares = [np.bincount(j, minlength=size) / len(j) for j in joint]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def nearer_train(train: np.ndarray, hold: np.ndarray, fake: np.ndarray, seed: int = 0) -> float | None:
    """Share of synthetic rows that are nearer to a training row than to a held-out one; 0.5 where nothing was memorised.

    Columns are scaled by the training rows' spread; equally many rows of both sides are searched.
    """
    from sklearn.neighbors import NearestNeighbors

    rng, n = np.random.default_rng(seed), min(len(train), len(hold))
    if n < 20 or not len(fake):
        return None
    middle, wide = np.nanmedian(train, axis=0), np.nanstd(train, axis=0)
    scaled = [np.nan_to_num((side - middle) / np.where(wide > 0, wide, 1)).clip(-5, 5) for side in (
        train[rng.permutation(len(train))[:n]], hold[rng.permutation(len(hold))[:n]], fake[rng.permutation(len(fake))[:2000]])]
    to_train, to_hold = (NearestNeighbors(n_neighbors=1).fit(side).kneighbors(scaled[2])[0][:, 0] for side in scaled[:2])
    return float(np.mean((to_train < to_hold) + 0.5 * (to_train == to_hold)))
