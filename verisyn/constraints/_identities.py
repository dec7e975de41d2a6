"""Identities among columns of numbers: of two by correlation, of three pair by pair, of more by the matrix's rank."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_SIGNS = {"+": np.add, "*": np.multiply, "/": np.divide}
_RANK = 2e-3
_MOST_TERMS = 8
_MOST_COLUMNS = 1_000
_MOST_FACTORS = 120
_FIRST_ROWS = 12
_DIGITS = range(6)


def multiples(values: np.ndarray, slack: np.ndarray, terms: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (column, formula) for columns that are a multiple of another, perhaps with a constant.

    Parameters
    ----------
    values : float64 array (rows, columns)
        Without missing values.
    slack : float64 array (columns,)
        By how much a column may differ from what is computed.
    terms : list of str
        The columns' names, as they stand in a formula.
    """
    able = _varying(values)
    spread = values[:, able].std(axis=0)
    z = (values[:, able] - values[:, able].mean(axis=0)) / spread
    near = np.triu(z.T @ z / max(len(z), 1), 1)
    for i, j in np.argwhere(np.abs(near) > 1 - _RANK**2):
        relation = np.zeros(values.shape[1])
        relation[able[j]], relation[able[i]] = -1.0, np.sign(near[i, j]) * spread[j] / spread[i]
        yield from _written(relation, values, slack, terms)


def linear(values: np.ndarray, slack: np.ndarray, terms: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (column, formula) for columns that are a linear function of others with short decimal coefficients.

    A QR factorisation with pivoting (Golub 1965) tells which columns depend on the others, and how. The parameters are
    those of :func:`multiples`.
    """
    from scipy.linalg import qr, solve_triangular

    able, spread = _varying(values), values.std(axis=0)
    if len(able) < 2 or len(values) < 2 * len(able):
        return
    centre = values[:, able].mean(axis=0)
    _, upper, order = qr((values[:, able] - centre) / spread[able], mode="economic", pivoting=True)
    size = np.abs(np.diag(upper))
    rank = int((size > _RANK * size[0]).sum())
    weights = solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    for j, one in enumerate(weights.T):
        column = able[order[rank + j]]
        used = np.flatnonzero(np.abs(one) > _RANK)
        if 0 < len(used) <= _MOST_TERMS:
            others = able[order[used]]
            relation = np.zeros(values.shape[1])
            relation[others] = one[used] * spread[column] / spread[others]
            relation[column] = -1.0
            yield from _written(relation, values, slack, terms)


def _written(relation: np.ndarray, values: np.ndarray, slack: np.ndarray, terms: list[str]
             ) -> Iterator[tuple[int, str]]:
    """Write ``relation @ row = constant`` as a formula for one of its columns, that with the simplest one."""
    found = []
    for column in map(int, np.flatnonzero(relation)):
        weights = relation / -relation[column]
        weights[column] = 0.0
        for digits in _DIGITS:
            short = np.round(weights, digits)
            used = np.flatnonzero(short)
            rest = values[:, column] - values @ short
            constant = float(np.round((rest.max() + rest.min()) / 2, digits + 1 if digits else 0))
            constant = 0.0 if np.abs(rest).max() <= slack[column] else constant
            if len(used) == np.count_nonzero(weights) and np.abs(rest - constant).max() <= slack[column]:
                simple = (digits, constant != 0, int((short < 0).sum()), float(np.abs(short).sum()),
                          -values[:, column].std())
                found.append((simple, column, _formula(short, constant, terms)))
                break
    if found:
        yield min(found)[1:]


def _formula(weights: np.ndarray, constant: float, terms: list[str]) -> str:
    used = sorted(np.flatnonzero(weights), key=lambda i: weights[i] < 0)
    parts = [("- " if weights[i] < 0 else "+ ") + (f"{abs(weights[i]):g} * " if abs(weights[i]) != 1 else "") + terms[i]
             for i in used]
    if constant:
        parts.append(("- " if constant < 0 else "+ ") + f"{abs(constant):.12g}")
    text = " ".join(parts)
    return text.removeprefix("+ ") if text.startswith("+ ") else "-" + text.removeprefix("- ")


def _varying(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return np.flatnonzero((spread > 0) & np.isfinite(spread))[:_MOST_COLUMNS]


def pairs(values: np.ndarray, slack: np.ndarray, terms: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (column, formula) for columns that are the sum, product or quotient of two others; see :func:`multiples`.

    A few rows without zeros tell the candidates, all rows decide.
    """
    able = np.flatnonzero(np.isfinite(values).all(axis=0) & (values != 0).any(axis=0))[:_MOST_FACTORS]
    whole = values[:, able][(values[:, able] != 0).all(axis=1)]
    if len(whole) < _FIRST_ROWS:
        return
    few = whole[:: len(whole) // _FIRST_ROWS][:_FIRST_ROWS]
    for a in range(len(able)):
        for sign, start in (("+", a), ("*", a), ("/", 0)):
            made = _SIGNS[sign](few[:, a, None], few)
            near = (np.abs(made[:, :, None] - few[:, None, :]) <= slack[able]).all(axis=0)
            near[:, a] = False
            for b, c in np.argwhere(near):
                if b < start or b in (a, c):
                    continue
                one, two, three = able[a], able[b], able[c]
                with np.errstate(divide="ignore", invalid="ignore"):
                    full = _SIGNS[sign](values[:, one], values[:, two])
                if not np.any(np.abs(full - values[:, three]) > slack[three]):
                    yield int(three), f"{terms[one]} {sign} {terms[two]}"
