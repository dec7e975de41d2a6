"""The boxes and lines of a database's picture, wherever they stand: what is written in a table's box, and of a link."""

from __future__ import annotations

from dataclasses import dataclass

from verisyn.report._database import Database, LinkTold, TableTold
from verisyn.report._words import count

PAD, HEAD, ROW = 10.0, 46.0, 36.0
_MOST = 77
_LETTERS = {"name": 0.65, "link": 0.6}
"""The width of a letter in its size, on the average of a wide font; what is longer than its place is written smaller,
and what is longer still ends in three dots."""
_LEAST = 10.0


@dataclass(frozen=True)
class Words:
    """A few words at a place; `tone` is the class that the page's style knows, `whole` what was too long to write."""

    x: float
    y: float
    text: str
    tone: str
    whole: str = ""
    size: float = 0.0

    @property
    def squeezed(self) -> int:
        """The width that a long pair of figures is drawn in, lest two of them meet; 0 where there is room."""
        return _MOST if self.tone in ("real", "fake") and len(self.text) > _MOST / 7 else 0


@dataclass(frozen=True)
class Box:
    """One table."""

    x: float
    y: float
    width: float
    height: float
    words: tuple[Words, ...]
    public: bool
    title: str


@dataclass(frozen=True)
class Line:
    """One link: its path, the foot at the child's end, and the words that stand in the child's box."""

    link: LinkTold
    path: str
    foot: str
    words: tuple[Words, ...]
    rule: tuple[float, float, float]
    title: str


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines on an area; `kind` is ``"wide"`` or ``"narrow"``."""

    kind: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    label: str


@dataclass(frozen=True)
class Place:
    """Where a table's box is, and in which order its links are listed in it."""

    x: float
    y: float
    width: float
    links: tuple[int, ...]

    @property
    def height(self) -> float:
        return HEAD + ROW * len(self.links)

    def row(self, link: int) -> float:
        """Return the height at which the words of a link begin."""
        return self.y + HEAD + ROW * self.links.index(link)


def box(table: TableTold, place: Place) -> Box:
    """Write a table's name and its rows on both sides."""
    left, right = place.x + PAD, place.x + place.width - PAD
    rows = [f"{side:,}" if isinstance(side, int) else "" for side in (table.rows, table.fake)]
    words = [_fit(left, place.y + 20, table.name, "name", place.width - 2 * PAD, 13.5),
             Words(left, place.y + 37, f"{rows[0]} rows" if rows[0] else count(len(table.columns), "column"), "real")]
    words += [Words(right, place.y + 37, "as it is" if table.public else rows[1], "fake")]
    told = [count(len(table.columns), "column"), f"key {', '.join(table.key)}" if table.key else "no key"]
    told += ["kept word for word"] if table.public else []
    return Box(place.x, place.y, place.width, place.height, tuple(words), table.public,
               f"{table.name}: {'; '.join(told)}")


def line(link: LinkTold, place: Place, i: int, path: str, foot: str) -> Line:
    """Write a link's columns and cardinalities in the box of its child."""
    left, right, y = place.x + PAD, place.x + place.width - PAD, place.row(i)
    name = ", ".join(link.columns) or link.name
    words = (_fit(left, y + 15, name, "link", place.width - 2 * PAD, 12), Words(left, y + 30, link.real, "real"),
             Words(right, y + 30, link.fake, "fake"))
    told = f"{link.child}.{name} points to {link.parent}{', or nowhere' if link.optional else ''}."
    many = f" Rows for each of {link.parent}: real {link.real}, synthetic {link.fake}." if link.real else ""
    return Line(link, path, foot, words, (place.x, place.x + place.width, y), told + many)


def _fit(x: float, y: float, text: str, tone: str, width: float, size: float) -> Words:
    letter = _LETTERS[tone]
    fitted = max(_LEAST, min(size, width / (letter * max(1, len(text)))))
    most = int(width / (letter * fitted) + 1e-6)
    cut = len(text) > most
    return Words(x, y, f"{text[:most - 1]}…" if cut else text, tone, text if cut else "", round(fitted, 1))


def label(told: Database) -> str:
    """Say what is drawn, to who cannot see it."""
    return f"{count(len(told.tables), 'table')} and the {count(len(told.links), 'link')} between them"
