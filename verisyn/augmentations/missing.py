"""Missingness: the real rows with some of their values taken out, completely at random, at random, or not at random.

Rubin, "Inference and missing data", Biometrika 63, 1976. MCAR: each cell goes with the same chance. MAR: the chance
depends on another column, which stays whole. MNAR: it depends on the value that goes. In the last two it is logistic in
the (ranked, standardised) values, with an intercept that gives the wanted rate. This is for testing imputation, with
the mask of what was taken out: **the rows are real rows**, all other cells are handed back as they are, ids and
personal data too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from verisyn.augmentations import BaseMethod, Made, Wanted, share
from verisyn.augmentations._real import Real
from verisyn.constraints import BaseRule
from verisyn.description import modelled
from verisyn.errors import UserError, did_you_mean

MECHANISMS = ("MCAR", "MAR", "MNAR")
_ABOUT_GAPS = ("nulls", "required")
"""Constraints that speak of what is missing; all others speak of values, and a gap has none."""
_WHOLE = 0.3
_STEPS = 60


@dataclass(frozen=True)
class Method(BaseMethod):
    """Takes out.

    Parameters
    ----------
    amount : float or mapping, default 0.1
        Share of the values that are taken out of each column, or of each column that is named.
    mechanism : {"MCAR", "MAR", "MNAR"}, default "MCAR"
    columns : sequence of str, optional
        Where values are taken out; by default every learnt column but the target.
    by : sequence of str, optional
        MAR: the columns that it depends on; they stay whole. By default about a third of the columns, drawn.
    strength : float, default 2
        MAR, MNAR: log-odds of going for each standard deviation.
    """

    shares = False

    amount: float | Mapping[str, float] = 0.1
    mechanism: str = "MCAR"
    columns: Sequence[str] | None = None
    by: Sequence[str] | None = None
    strength: float = 2.0

    def __post_init__(self) -> None:
        named = self.amount.items() if isinstance(self.amount, Mapping) else [("", self.amount)]
        for name, value in named:
            share(f"The amount of {name!r}" if name else "amount", value)
        share("strength", self.strength, most=100.0)
        if str(self.mechanism).upper() not in MECHANISMS:
            raise UserError(f"The mechanism {self.mechanism!r} is not known. "
                            f"{did_you_mean(self.mechanism, MECHANISMS)}")
        if self.by is not None and str(self.mechanism).upper() != "MAR":
            raise UserError("Columns that it depends on ('by') are for the mechanism MAR alone. Leave them out.")
        if isinstance(self.amount, Mapping) and self.columns is not None:
            raise UserError("The amounts name the columns already. Leave 'columns' out, or give one amount.")

    def derive(self, real: Real, base: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
        """Return the rows as they are; `make` takes values out of them."""
        return real.rows[base]

    def make(self, real: Real, wanted: Wanted, seed: np.random.SeedSequence) -> Made:
        """Take values out of all rows."""
        if wanted.rows is not None or wanted.shares is not None:
            raise UserError("Values are taken out of the rows as they are, so neither rows nor shares can be asked "
                            "for. Leave them out.")
        rng = np.random.default_rng(seed)
        base = np.arange(real.rows.height)
        rows, rates = self.derive(real, base, rng), self._rates(real)
        drivers = self._drivers(real, list(rates), rng)
        gone = {c: self._taken(rows, c, rate, drivers, rng) for c, rate in rates.items() if c not in drivers}
        gone, kept = _within_constraints(real, rows, gone, drivers)
        mask = pl.DataFrame({c: gone.get(c, np.zeros(rows.height, bool)) for c in rows.columns})
        return Made(_holed(rows, gone), (*_told(rows, gone, drivers), *kept), mask)

    def _rates(self, real: Real) -> dict[str, float]:
        names = real.rows.columns
        if isinstance(self.amount, Mapping):
            rates = dict(self.amount)
        else:
            usual = [c.name for c in real.table.columns if modelled(c) and c.name != real.target]
            rates = dict.fromkeys(_listed(self.columns) or usual, self.amount)
        for name in (*rates, *_listed(self.by)):
            if name not in names:
                raise UserError(f"There is no column {name!r}. {did_you_mean(name, names)}")
        return rates

    def _drivers(self, real: Real, holed: list[str], rng: np.random.Generator) -> list[str]:
        """The columns that MAR depends on: those named; else those that stay whole; else a third of all."""
        if self.mechanism.upper() != "MAR":
            return []
        if self.by is not None:
            return _listed(self.by)
        others = [c.name for c in real.table.columns if modelled(c) and c.name not in holed and c.name != real.target]
        if others:
            return others
        if len(holed) < 2:
            raise UserError("Missing at random depends on a column that stays whole, and there is no other one. Take "
                            "MCAR or MNAR.")
        free = [c for c in holed if not any(c in rule.columns for rule in _about_gaps(real))] or holed
        drawn = rng.permutation(len(free))[: min(max(1, round(_WHOLE * len(holed))), len(free), len(holed) - 1)]
        return [free[i] for i in sorted(drawn)]

    def _taken(self, rows: pl.DataFrame, name: str, rate: float, drivers: list[str], rng: np.random.Generator
               ) -> np.ndarray:
        there = rows[name].is_not_null().to_numpy()
        score = np.zeros(rows.height)
        if self.mechanism.upper() != "MCAR":
            asked = rows[drivers[rng.integers(len(drivers))] if drivers else name]
            score = _scores(asked, rng) * (rng.choice([-1, 1]) if drivers else 1)
        return there & (rng.random(rows.height) < _chances(self.strength * score, there, rate))


def _listed(names: Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _scores(series: pl.Series, rng: np.random.Generator) -> np.ndarray:
    """Ranks in standard deviations; levels in a random order; a missing value is in the middle."""
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
        levels = series.drop_nulls().unique().sort()
        series = series.replace_strict(levels, rng.permutation(len(levels)), return_dtype=pl.Int64, default=None)
    ranks = series.to_physical().cast(pl.Float64, strict=False).rank("average")
    spread = ranks.std() or 0.0
    scaled = (ranks - ranks.mean()) / spread if spread else ranks * 0.0  # type: ignore[operator]
    return scaled.fill_null(0.0).to_numpy()


def _chances(logits: np.ndarray, there: np.ndarray, rate: float) -> np.ndarray:
    """Logistic chances with the intercept, found by bisection, at which those that are there have the mean `rate`."""
    low, high = -60.0 - np.abs(logits).max(initial=0), 60.0 + np.abs(logits).max(initial=0)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(-np.clip(logits[there] + middle, -500, 500)))).mean() if there.any() else rate
        low, high = (middle, high) if mean < rate else (low, middle)
    return 1 / (1 + np.exp(-np.clip(logits + high, -500, 500)))


def _about_gaps(real: Real) -> list[BaseRule]:
    rules = real.coder.rules
    return [rule for kind, rule in zip(rules.kinds, rules.rules, strict=True) if kind in _ABOUT_GAPS]


def _within_constraints(real: Real, rows: pl.DataFrame, gone: dict[str, np.ndarray], whole: list[str]
                        ) -> tuple[dict[str, np.ndarray], list[str]]:
    """Where a gap breaks a constraint, the others do as its first column does; if that does not mend it, all stay."""
    kept = 0
    for rule in (r for r in _about_gaps(real) if set(r.columns) & set(gone)):
        first, *others = rule.columns
        others = [c for c in others if c not in whole]
        sound, lead = ~rule.broken(rows), gone.get(first, np.zeros(rows.height, bool))
        wrong = rule.broken(_holed(rows, gone)) & sound
        for c in others:
            own = gone.get(c, np.zeros(rows.height, bool))
            kept += int((own & wrong & ~lead).sum())
            gone[c] = np.where(wrong, lead & rows[c].is_not_null().to_numpy(), own)
        wrong = rule.broken(_holed(rows, gone)) & sound
        for c in (c for c in rule.columns if c in gone):
            kept += int((gone[c] & wrong).sum())
            gone[c] = gone[c] & ~wrong
    return gone, [f"{kept:,} values were left in their place, for a constraint says that they must be there."] if kept \
        else []


def _holed(rows: pl.DataFrame, gone: dict[str, np.ndarray]) -> pl.DataFrame:
    return rows.with_columns(rows[c].set(pl.Series(m), None) for c, m in gone.items())


def _told(rows: pl.DataFrame, gone: dict[str, np.ndarray], drivers: list[str]) -> list[str]:
    cells = sum(int(m.sum()) for m in gone.values())
    there = sum(rows.height - rows[c].null_count() for c in gone)
    share_of = f" ({cells / there:.1%})" if there else ""
    whole = f"; it depends on {', '.join(map(repr, drivers))}" if drivers else ""
    return [f"{cells:,} of {there:,} values were taken out{share_of} in {len(gone)} columns{whole}."]
