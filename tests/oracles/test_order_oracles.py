"""What metrics of histories compute, held against formulas and other libraries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.linalg import sqrtm
from scipy.signal import welch

from verisyn.kinds import Feature
from verisyn.metrics._histories import Histories, HistorySides
from verisyn.metrics.fidelity import (
    autocorrelation,
    coherence,
    cross_correlation,
    gaps,
    length,
    sequence_distance,
    sequential_accuracy,
    spectrum,
    transitions,
)
from verisyn.schema import Table

ENTITIES, ROWS = 200, 60


def histories(columns: dict[str, np.ndarray], time: np.ndarray | None = None, levels: int = 0) -> Histories:
    """Histories of one length from arrays of shape (entities, rows); with `levels`, codes of categories."""
    count, rows = next(iter(columns.values())).shape
    labels = tuple(f"level {i}" for i in range(levels))
    features = [Feature(name, x.ravel().astype(float), levels, labels) for name, x in columns.items()]
    return Histories(pl.DataFrame({f.name: f.values for f in features}), np.arange(count + 1) * rows,
                     None if time is None else time.ravel(), features)


def sides(fake: Histories, real: Histories) -> HistorySides:
    return HistorySides(fake, real, real, Table(name="t", columns=()))


def asked(metric, fake: Histories, real: Histories):
    return metric.measure(sides(fake, real), np.random.default_rng(0))


def autoregressive(phi: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ENTITIES, ROWS))
    for t in range(1, ROWS):
        x[:, t] = phi * x[:, t - 1] + np.sqrt(1 - phi**2) * x[:, t]
    return x


def test_autocorrelations_are_those_of_the_process():
    """Ranks of a normal pair with correlation r correlate as 6/pi asin(r/2)."""
    found = asked(autocorrelation, histories({"x": autoregressive(0.9, 1)}), histories({"x": autoregressive(0.5, 2)}))
    lines = {s["name"]: s["points"] for s in found.details["lines"][0]["series"]}
    for who, phi in (("synthetic", 0.9), ("real", 0.5)):
        for p in lines[who]:
            assert p["y"] == pytest.approx(6 / np.pi * np.arcsin(phi ** p["x"] / 2), abs=0.05), (who, p)


def test_cross_correlations_find_the_lag():
    x = autoregressive(0.0, 3)
    lagged = np.roll(x, 2, axis=1)
    lagged[:, :2] = 0
    found = asked(cross_correlation, histories({"a": x, "b": np.roll(x, 1, axis=0)}), histories({"a": x, "b": lagged}))
    first = found.details["items"][0]
    assert first["name"] == "'a' and 'b', the second 2 steps later"
    assert first["reference"] > 0.97 and abs(first["value"]) < 0.05


def test_the_share_between_histories_is_the_ratio_of_variances():
    rng = np.random.default_rng(4)
    own = rng.normal(size=(ENTITIES, 1))
    real, fake = (np.sqrt(share) * own + np.sqrt(1 - share) * rng.normal(size=(ENTITIES, ROWS)) for share in (0.7, 0.2))
    items = asked(coherence, histories({"x": fake}), histories({"x": real})).details["items"]
    assert items[0]["name"] == "'x' (share between histories)"
    assert items[0]["reference"] == pytest.approx(6 / np.pi * np.arcsin(0.35), abs=0.06)
    assert items[0]["value"] == pytest.approx(6 / np.pi * np.arcsin(0.1), abs=0.06)


def test_spectra_are_those_of_welch():
    x = autoregressive(0.8, 5)
    found = asked(spectrum, histories({"x": x}), histories({"x": x}))
    assert found.value == 1.0
    points = found.details["lines"][0]["series"][0]["points"]
    rows = found.details["rows_of_a_stretch"]
    clipped = x.clip(*np.quantile(x, [0.001, 0.999]))
    pieces = np.concatenate([clipped[:, i:i + rows] for i in range(0, ROWS - rows + 1, rows)])
    power = welch(pieces, window=np.hanning(rows), nperseg=rows, noverlap=0, detrend="linear")[1].mean(axis=0)[1:]
    power[-1] *= 2  # one-sided spectra count the last frequency once, the others twice
    assert [p["y"] for p in points] == pytest.approx(power / power.sum(), abs=2e-3)


def test_transitions_are_weighed_rows_of_the_matrix():
    """Two states that stay with chances p and q: the likeness is 1 - |p - q| for chains of equal shares, ends aside."""
    def chain(stay: float, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        moves = rng.random((400, 80)) > stay
        moves[:, 0] = rng.random(400) < 0.5
        return np.cumsum(moves, axis=1) % 2

    real, fake = (histories({"s": chain(stay, seed)}, levels=2) for stay, seed in ((0.9, 1), (0.6, 2)))
    wide = replace(sides(fake, real), windows=True)
    found = transitions.measure(wide, np.random.default_rng(0))
    assert found.value == pytest.approx(0.7, abs=0.02)
    accuracy = asked(sequential_accuracy, fake, real)
    assert accuracy.value == pytest.approx(0.7, abs=0.02)  # total variation of the pair: |p - q| as well
    assert accuracy.details["univariate"] > 0.98


def test_gaps_and_lengths_are_distances_of_distributions():
    rng = np.random.default_rng(6)
    times = [np.cumsum(rng.choice([1.0, 5.0], (ENTITIES, ROWS), p=p), axis=1) for p in ([0.8, 0.2], [0.5, 0.5])]
    real, fake = (histories({"x": autoregressive(0.0, 7)}, t) for t in times)
    items = {i["name"]: i["value"] for i in asked(gaps, fake, real).details["items"]}
    assert items["gaps"] == pytest.approx(0.7, abs=0.02)
    assert items["a gap and the next"] == pytest.approx(1 - (0.64 - 0.25), abs=0.03)
    short = fake.take(np.arange(ENTITIES))
    short = replace(short, whole=np.where(np.arange(ENTITIES) % 4 == 0, ROWS // 2, ROWS))
    assert asked(length, short, real).value == pytest.approx(0.75)


def test_the_distance_is_frechets():
    rng = np.random.default_rng(8)
    a, b = (rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + shift for shift in (0, 1))
    clouds = [(x.mean(axis=0), np.cov(x.T, bias=True)) for x in (a, b)]
    (m, s), (n, t) = clouds
    right = ((m - n) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert sequence_distance._distance(*clouds) == pytest.approx(right)
    assert sequence_distance._distance(clouds[0], clouds[0]) == pytest.approx(0, abs=1e-9)
