"""The words of a report: what each question asks, how a verdict is said, how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from verisyn.findings import Finding, Verdict

SYMBOLS: dict[Verdict, str] = {"good": "✓", "fair": "~", "poor": "✗", "not answered": "?"}

ASKS = {
    "fidelity": "Does it look like the real data?",
    "utility": "Does it work like the real data?",
    "privacy": "Does it tell of the rows it was made from?",
    "fairness": "Does it treat groups as the real data does?",
    "steering": "Are the rows what was wished for?",
}

_TERMS = {"tstr": "Trained on synthetic rows", "trtr": "Trained on real rows", "score_name": "Score",
          "caught": "Found at 1 % false alarms", "caught_of_1000": "Found at 1 false alarm in a thousand",
          "compared_caught_of_1000": "Found at 1 false alarm in a thousand, by comparison",
          "epsilon_at_least": "Epsilon at least", "auc_on_all_rows": "AUC on all rows", "compared": "AUC by comparison",
          "compared_caught": "Found at 1 % false alarms, by comparison", "a": "Column", "b": "With", "auc": "AUC",
          "ks": "Kolmogorov-Smirnov distance"}
ENDS = {"floor": "each column drawn alone", "ceiling": "real rows in its place"}
"""What floors and ceilings are where a finding does not say otherwise (``floor_says``, ``ceiling_says``)."""
_SHOWN = ("floor", "ceiling", "items_say", "lines_say", "floor_says", "ceiling_says", "child", "parent", "p",
          "sides", "value_says")
"""Details that are shown elsewhere, or say how others are drawn."""


def by_question(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Group findings by question: the known questions in their order, then any others as they come."""
    order = [*ASKS, *(f.question for f in findings)]
    groups = {q: [f for f in findings if f.question == q] for q in dict.fromkeys(order)}
    return {q: group for q, group in groups.items() if group}


def figure(value: float | None, width: float = 0.0) -> str:
    """Write a measured number for a person; beside an interval of some width, with as many decimals as tell its ends.

    Examples
    --------
    >>> [figure(v) for v in (0.98765, 0.00042, 0.00003, 0.0, 12.345, 48842, -0.01, None)]
    ['0.988', '0.0004', '0.00003', '0.000', '12.3', '48,842', '−0.010', '–']
    >>> figure(1971.34), figure(1971.34, width=0.2)
    ('1,971', '1,971.3')
    """
    if value is None:
        return "–"
    size = abs(value)
    small = next((n for n in (4, 5, 6) if size * 10**n >= 0.5), 3)
    decimals = 0 if size >= 1000 else 1 if size >= 10 else small if 0 < size < 0.001 else 3
    if 0 < width < math.inf:
        decimals = max(decimals, min(6, math.floor(1 - math.log10(width))))
    return f"{value:,.{decimals}f}".replace("-", "−")


def span(interval: Sequence[float] | None) -> str:
    """Write an interval, or nothing.

    Examples
    --------
    >>> span((0.51, 0.54)), span((98.22, 98.28)), span(None)
    ('0.510 to 0.540', '98.22 to 98.28', '')
    """
    if interval is None:
        return ""
    low, high = interval
    return f"{figure(low, high - low)} to {figure(high, high - low)}"


def count(things: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count(1, "row"), count(48842, "row")
    ('1 row', '48,842 rows')
    """
    return f"{things:,} {noun}{'' if things == 1 else 's'}"


def plain(key: str) -> str:
    """Turn a key of a dict into words.

    Examples
    --------
    >>> plain("nearest_share")
    'Nearest share'
    """
    words = _TERMS.get(key, key).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def measured(finding: Finding) -> list[tuple[str, str]]:
    """Return the plain figures among a finding's details, as words and text; an interval stands beside its figure.

    Examples
    --------
    >>> measured(Finding("a.b", "", "good", "", details={"caught": 0.02, "caught_interval": [0.01, 0.03], "roc": []}))
    [('Found at 1 % false alarms', '0.020 (0.010 to 0.030)')]
    """
    found = []
    for key, value in finding.details.items():
        if key in _SHOWN:
            continue
        ends = finding.details.get(f"{key}_interval")
        if isinstance(value, str | int | float):
            found.append((plain(key), scalar(value) + (f" ({span(ends)})" if ends else "")))
        elif isinstance(value, dict) and all(isinstance(v, str | int | float) for v in value.values()):
            found += [(f"{plain(key)}: {plain(k).lower()}", scalar(v)) for k, v in value.items() if key not in _SHOWN]
    return found


def figures(finding: Finding) -> list[tuple[str, str]]:
    """Return every plain figure of a finding: the value and what it stands between, then its details."""
    ends = {end: finding.details.get(f"{end}_says") or usual for end, usual in ENDS.items()}
    known = {"Value": finding.value, f"Floor: {ends['floor']}": finding.floor,
             f"Ceiling: {ends['ceiling']}": finding.ceiling, "Best there could be": finding.best}
    told = [(key, figure(value)) for key, value in known.items() if value is not None]
    if finding.interval is not None:
        told.insert(1, ("95 % interval", span(finding.interval)))
    if finding.p is not None:
        told.append(("p at the border of poor", f"{finding.p:.2g}"))
    return [("Name", finding.name), *told, *measured(finding)]


def scalar(value: str | float) -> str:
    """Write one plain value: text as it is, counts in full, measures shortened."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return value if isinstance(value, str) else figure(value)


def tidy(sentence: str) -> str:
    """Keep a number and its percent sign on one line."""
    return sentence.replace(" %", "\u00a0%")


def made_of(run: dict[str, Any]) -> str:
    """Say in one sentence how many rows there are, and what they were made from and judged against.

    Of a database, ``run["tables"]`` holds the tables, or their number; of histories, ``run["entities"]`` how many
    histories each side has, by the keys of ``run["rows"]``.

    Examples
    --------
    >>> made_of({"rows": {"synthetic": 900, "train": 800, "holdout": 200}, "entities": {"synthetic": 9, "train": 8}})
    '9 synthetic histories with 900 rows, made from 8 real histories with 800 rows, judged against 200 real rows the \
generator never saw.'
    """
    rows, entities, tables = run.get("rows") or {}, run.get("entities") or {}, run.get("tables") or 1
    tables = tables if isinstance(tables, int) else len(tables)
    if not rows and not run.get("generator"):
        return ""

    def said(side: str, word: str) -> str:
        many, things = rows.get(side) or 0, entities.get(side)
        return count(many, f"{word} row") if not things else f"{histories(things, word)} with {count(many, 'row')}"

    made = said("synthetic", "synthetic") if "synthetic" in rows else "Synthetic rows"
    made = f"{count(tables, 'table')}, {made}" if tables > 1 else made
    by = f" by {run['generator']}" if run.get("generator") else ""
    source = f" from {said('train', 'real')}" if "train" in rows else ""
    against = f", judged against {said('holdout', 'real')} the generator never saw" if rows.get("holdout") else ""
    return f"{made}{', made' if by or source else ''}{by}{source}{against}."


def histories(things: int, word: str) -> str:
    """Write a count of histories.

    Examples
    --------
    >>> histories(1, "real"), histories(1200, "synthetic")
    ('1 real history', '1,200 synthetic histories')
    """
    return f"{things:,} {word} {'history' if things == 1 else 'histories'}"


def chance(p: float) -> str:
    """Say a p-value in words.

    Examples
    --------
    >>> chance(0.2), chance(0.00037), chance(1e-9), chance(0.999)
    ('in 20 of 100 cases', 'in 4 of 10,000 cases', 'in fewer than 1 of 1,000,000 cases', 'in nearly all cases')
    """
    if p > 0.995:
        return "in nearly all cases"
    if p < 1e-6:
        return "in fewer than 1 of 1,000,000 cases"
    cases = next(n for n in (100, 1_000, 10_000, 100_000, 1_000_000) if p * n >= 0.995)
    return f"in {p * cases:.0f} of {cases:,} cases"


def paragraphs(text: str) -> list[str]:
    r"""Return the paragraphs of a text that was broken into lines.

    Examples
    --------
    >>> paragraphs("What is\nmeasured.\n\nHow.")
    ['What is measured.', 'How.']
    """
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def address(reference: str) -> str:
    """Return a reference without what every address begins with.

    Examples
    --------
    >>> address("https://doi.org/10.1/x")
    'doi.org/10.1/x'
    """
    return reference.split("://", maxsplit=1)[-1]


def is_link(reference: str) -> bool:
    """Whether a reference is an address on the web, and nothing that would run."""
    return reference.startswith(("https://", "http://"))
