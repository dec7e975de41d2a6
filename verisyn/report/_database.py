"""What findings say of a database: its tables, its links with their cardinalities, and one page for each link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.findings import Assessment, Finding, Verdict
from verisyn.report._use import worst, worst_first

VERDICTS = ("poor", "fair", "good", "not answered")
"""The worst first."""
_FACTS = ("link", "title", "verdict", "reason", "value", "interval", "floor", "ceiling")


@dataclass(frozen=True)
class TableTold:
    """One table: rows on both sides, its columns and those of its key; public ones are kept word for word."""

    name: str
    rows: int | None
    fake: int | None
    columns: tuple[str, ...]
    key: tuple[str, ...]
    public: bool


@dataclass(frozen=True)
class LinkTold:
    """One link from a child to its parent; `real` and `fake` say how many children a parent has."""

    name: str
    child: str
    parent: str
    columns: tuple[str, ...]
    optional: bool
    owner: bool
    real: str
    fake: str
    single: bool


@dataclass(frozen=True)
class Database:
    """The tables of a database, and the links between them."""

    tables: tuple[TableTold, ...]
    links: tuple[LinkTold, ...]

    def of(self, table: str) -> list[int]:
        """Return which of the links a table has, as the child."""
        return [i for i, link in enumerate(self.links) if link.child == table]


@dataclass(frozen=True)
class LinkPage:
    """All that is said of one link: what each finding tells, as a finding of its own beside the one it is part of."""

    name: str
    child: str
    parent: str
    link: LinkTold | None
    told: tuple[tuple[Finding, Finding], ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of what is said."""
        return worst(part for _, part in self.told)


def database(assessment: Assessment) -> Database | None:
    """Return the tables and links that a finding tells of; None where no finding does.

    Examples
    --------
    >>> told = {"tables": [{"name": "orders", "rows": 9}, {"name": "customers", "rows": 3}], "links": [
    ...     {"from": "orders", "to": "customers", "columns": ["who"], "real": {"mean": 3, "least": 0, "most": 7}}]}
    >>> found = database(Assessment((Finding("fidelity.x", "?", "good", "", details={"schema": told}),)))
    >>> found.links[0].name, found.links[0].real
    ('orders.who', '3.00 (0–7)')
    """
    return next((read for f in assessment.findings if (read := schema_of(f)) is not None), None)


def schema_of(finding: Finding) -> Database | None:
    """Return what one finding's detail ``schema`` tells; None where it has none that can be read."""
    told = finding.details.get("schema")
    try:
        return _database(told) if isinstance(told, Mapping) and told.get("tables") else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _database(told: Mapping[str, Any]) -> Database:
    tables = tuple(TableTold(str(t["name"]), t.get("rows"), t.get("fake"), tuple(map(str, t.get("columns") or ())),
                             tuple(map(str, t.get("key") or ())), bool(t.get("public"))) for t in told["tables"])
    names = {t.name for t in tables}
    links = tuple(map(_link, told.get("links") or ()))
    return Database(tables, tuple(link for link in links if {link.child, link.parent} <= names))


def _link(told: Mapping[str, Any]) -> LinkTold:
    child, parent, columns = str(told["from"]), str(told["to"]), tuple(map(str, told.get("columns") or ()))
    name = told.get("name") or ".".join((child, "+".join(columns) or parent))
    real, fake = told.get("real"), told.get("fake")
    single = isinstance(real, Mapping) and real.get("most") == 1
    return LinkTold(str(name), child, parent, columns, bool(told.get("optional")), bool(told.get("owner")),
                    cardinality(told.get("label") if real is None else real), cardinality(fake), single)


def cardinality(told: Any) -> str:
    """Write how many children a parent has: the mean, and its range in brackets.

    Examples
    --------
    >>> cardinality({"mean": 9.3, "least": 0, "most": 31}), cardinality({"mean": 1, "least": 1, "most": 1})
    ('9.30 (0–31)', '1')
    >>> cardinality({"mean": 16842.75, "least": 1, "most": 17283}), cardinality(None)
    ('16.8k (1–17.3k)', '')
    >>> cardinality({"mean": 0.93, "least": 0, "most": 0})  # one parent has nearly all
    '0.93 (mostly 0)'
    """
    if not isinstance(told, Mapping):
        return "" if told is None else str(told)
    mean, least, most = (told.get(part) for part in ("mean", "least", "most"))
    if mean is None:
        return ""
    if least is not None and least == most != mean:
        return f"{_short(mean, 3)} (mostly {_short(least)})"
    if least is None or most is None or not least <= mean <= most:  # ends that few reach may not be told
        return _short(mean)
    return _short(least) if least == most else f"{_short(mean, 3)} ({_short(least)}–{_short(most)})"


def _short(number: float, digits: int = 0) -> str:
    """Write a count or a mean in few characters."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            scaled = number / size
            return f"{scaled:.0f}{letter}" if scaled >= 99.5 or scaled == int(scaled) else f"{scaled:.1f}{letter}"
    if float(number).is_integer() and not digits:
        return f"{number:.0f}"
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def link_pages(assessment: Assessment) -> list[LinkPage]:
    """Return a page for each link that a finding tells of, the worst first, else in the order of the schema.

    Examples
    --------
    >>> part = {"link": "orders.who", "child": "orders", "parent": "customers", "verdict": "fair", "reason": "So."}
    >>> pages = link_pages(Assessment((Finding("fidelity.x", "?", "fair", "", details={"links": [part]}),)))
    >>> pages[0].name, pages[0].verdict
    ('orders.who', 'fair')
    """
    base = database(assessment)
    known = {link.name: link for link in base.links} if base else {}
    told: dict[str, list[tuple[Finding, Finding]]] = {name: [] for name in known}
    ends = {name: (link.child, link.parent) for name, link in known.items()}
    for finding in assessment.findings:
        for name, part in link_parts(finding):
            told.setdefault(name, []).append((finding, part))
            ends.setdefault(name, (str(part.details.get("child", "")), str(part.details.get("parent", ""))))
    pages = [LinkPage(name, *ends[name], known.get(name), tuple(_sorted(parts))) for name, parts in told.items()]
    return sorted(pages, key=lambda page: VERDICTS.index(page.verdict))


def _sorted(parts: Sequence[tuple[Finding, Finding]]) -> list[tuple[Finding, Finding]]:
    order = {id(part): i for i, part in enumerate(worst_first(part for _, part in parts))}
    return sorted(parts, key=lambda both: order[id(both[1])])


def link_parts(finding: Finding) -> list[tuple[str, Finding]]:
    """Return what one finding's detail ``links`` says of each link, as a finding of its own."""
    told = finding.details.get("links")
    return [(entry["link"], _part(finding, entry)) for entry in (told if isinstance(told, list) else ())
            if isinstance(entry, Mapping) and isinstance(entry.get("link"), str)]


def _part(finding: Finding, entry: Mapping[str, Any]) -> Finding:
    verdict = entry.get("verdict")
    interval = entry.get("interval")
    details: dict[str, Any] = {key: finding.details[key] for key in ("floor_says", "ceiling_says")
                               if key in finding.details}
    details |= {key: value for key, value in entry.items() if key not in _FACTS and not key.startswith("_")}
    return Finding(f"{finding.name} {entry['link']}", str(entry.get("title") or finding.title),
                   verdict if verdict in VERDICTS else "not answered", str(entry.get("reason") or ""),
                   value=_number(entry.get("value")), interval=tuple(interval) if interval else None,
                   floor=_number(entry.get("floor")), ceiling=_number(entry.get("ceiling")), details=details,
                   best=finding.best, worst=finding.worst)


def _number(told: Any) -> float | None:
    return told if isinstance(told, int | float) else None
