"""Tables of a finding's page: a dot plot of items with their references, and lists of flat entries as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.report._words import count, figure, plain, scalar, span

MOST_ROWS = 15
_MARGIN = 0.04
_LONG = 25
_TITLES = {"checks": "What was checked", "exposed": "The most exposed kinds of record", "worst": "The least alike",
           "lost": "Lost altogether"}


@dataclass(frozen=True)
class Dot:
    """One item of a dot plot: words, and places on a shared line in percent of its width."""

    name: str
    note: str
    value: str
    interval: str
    reference: str
    at: float
    low: float
    high: float
    beside: float | None


@dataclass(frozen=True)
class Dots:
    """A dot plot: items on one shared line, and what value and reference are."""

    value: str
    reference: str
    start: str
    end: str
    rows: tuple[Dot, ...]

    @property
    def heads(self) -> tuple[str, str]:
        """Short heads of the two columns of figures; the legend says the rest."""
        return (self.value if len(self.value) < _LONG else "Measured",
                self.reference if len(self.reference) < _LONG else "Reference")


@dataclass(frozen=True)
class Sheet:
    """A plain table: heads with whether their column holds numbers, and rows of (text, what stands below it)."""

    title: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    more: str = ""


def dots(items: Sequence[Mapping[str, Any]], say: Mapping[str, str]) -> Dots | None:
    """Lay out items of the form ``{"name", "value", "reference", "interval", "note"}`` on one line.

    Examples
    --------
    >>> laid = dots([{"name": "age", "value": 0.5, "reference": 1.0}], {"value": "share kept"})
    >>> laid.value, laid.rows[0].at < laid.rows[0].beside
    ('Share kept', True)
    """
    told = [i for i in items if isinstance(i, Mapping) and isinstance(i.get("value"), int | float)][:MOST_ROWS]
    if not told:
        return None
    points = [p for i in told for p in (i["value"], i.get("reference"), *(i.get("interval") or ())) if p is not None]
    least, most = float(min(points)), float(max(points))
    width = (most - least) or abs(most) or 1.0
    start, whole = least - _MARGIN * width, width * (1 + 2 * _MARGIN)

    def place(point: float) -> float:
        return round(100 * (point - start) / whole, 2)

    rows = []
    for item in told:
        low, high = item.get("interval") or (item["value"], item["value"])
        reference, width = item.get("reference"), high - low
        rows.append(Dot(str(item.get("name", "")), str(item.get("note") or ""), figure(item["value"], width),
                        span(item.get("interval")), "" if reference is None else figure(reference, width),
                        place(item["value"]), place(low), place(high), None if reference is None else place(reference)))
    return Dots(plain(say.get("value") or "value"), plain(say.get("reference") or "reference"), figure(least),
                figure(most), tuple(rows))


def sheets(details: Mapping[str, Any]) -> list[Sheet]:
    """Return a table for each detail that is a list of flat entries; their keys are the heads."""
    flat = {key: [e for e in told if isinstance(e, Mapping)] for key, told in details.items() if isinstance(told, list)}
    return [made for key, entries in flat.items() if entries and (made := _sheet(key, entries))]


def _sheet(key: str, entries: Sequence[Mapping[str, Any]]) -> Sheet | None:
    shown = entries[:MOST_ROWS]
    keys = [k for k in dict.fromkeys(k for e in shown for k in e) if not k.endswith("interval")]
    heads = [k for k in keys if _told(e.get(k) for e in shown)]
    if not heads:
        return None
    rows = tuple(tuple(_cell(entry, head, heads) for head in heads) for entry in shown)
    numbers = tuple((plain(head), not any(isinstance(e.get(head), str) for e in shown)) for head in heads)
    left = len(entries) - len(shown)
    return Sheet(_TITLES.get(key, plain(key)), numbers, rows, f"and {count(left, 'more row')}" if left else "")


def _told(values: Iterable[Any]) -> bool:
    known = [v for v in values if v is not None]
    return bool(known) and all(isinstance(v, str | int | float) for v in known)


def _cell(entry: Mapping[str, Any], head: str, heads: Sequence[str]) -> tuple[str, str]:
    """Return a cell's text; below the number that an interval belongs to, the interval."""
    value = entry.get(head)
    own = entry.get(f"{head}_interval")
    lone = entry.get("interval") if head == _holder(entry, heads) else None
    return "–" if value is None else scalar(value), span(own or lone)


def _holder(entry: Mapping[str, Any], heads: Sequence[str]) -> str | None:
    """Return the number that an entry's `interval` speaks of: the last one before it."""
    before = [key for key in entry if key in heads]
    if "interval" not in entry:
        return None
    keys = [*entry]
    numbers = [k for k in before if isinstance(entry[k], float | int) and keys.index(k) < keys.index("interval")]
    return numbers[-1] if numbers else None
