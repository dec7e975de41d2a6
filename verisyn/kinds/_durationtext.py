"""Spans of time written as text: "01:30:00", "2 days 03:00:00", "1h 30m", "90 min"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SPELLED = {"w": "w wk wks week weeks", "d": "d day days", "h": "h hr hrs hour hours std",
            "m": "m min mins minute minutes", "s": "s sec secs second seconds",
            "ms": "ms msec millisecond milliseconds"}
_MEANING = {word: _SECONDS[unit] for unit, words in _SPELLED.items() for word in words.split()}
_NUMBER = r"\d+(?:\.\d+)?"
_PIECE = re.compile(rf"({_NUMBER})( ?)([A-Za-z]+)([ ,]*)")
_CLOCK = r"^(-?)(?:(\d+) days? )?(\d{1,5}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$"


@dataclass(frozen=True)
class DurationText:
    """How a column writes spans of time.

    Parameters
    ----------
    clock : str
        Such as ``"h:mm"``, ``"hh:mm:ss.fff"``, ``"days hh:mm:ss"`` or ``"day/days h:mm"``; empty where units are words.
    words : list of str
        The words of the units, the longest unit first; ``"day/days"`` where one and several differ.
    space, between : str
        What stands between a number and its unit, and between two units.
    zeros : bool
        Whether units that are zero are written too, as in ``"0h 12m"``.

    Examples
    --------
    >>> form, share = find(["1h 30m", "2h 5m", "45m"])
    >>> form.read(pl.Series(["1h 30m", "45m", "soon"])).to_list()
    [5400.0, 2700.0, None]
    >>> form.write(np.array([5400.0, 2700.0])).to_list()
    ['1h 30m', '45m']
    >>> find(["1h 30m", "0h 5m", "2h 0m"])[0].write(np.array([2700.0])).to_list()
    ['0h 45m']
    >>> find(["25:30:00", "08:00:10"])[0].write(np.array([91800.0])).to_list()
    ['25:30:00']
    """

    clock: str = ""
    words: list[str] = field(default_factory=list)
    space: str = ""
    between: str = " "
    zeros: bool = False

    def read(self, series: pl.Series) -> pl.Series:
        """Return seconds as Float64; null where a text is not in this form."""
        if self.clock:
            parts = [series.str.extract(_CLOCK, i + 1) for i in range(5)]
            known, pieces, sizes = parts[2].is_not_null(), parts[1:], [86_400.0, 3600.0, 60.0, 1.0]
        else:
            spelled = [w.replace("/", "|") for w in self.words]
            known = series.str.contains(rf"^-?(?:{_NUMBER} ?(?:{'|'.join(spelled)})[ ,]*)+$").fill_null(False)
            pieces = [series.str.extract(rf"({_NUMBER}) ?(?:{w})(?:[^A-Za-z]|$)", 1) for w in spelled]
            sizes = [_MEANING[w.split("/")[0].lower()] for w in self.words]
        total = np.zeros(len(series))
        for piece, size in zip(pieces, sizes, strict=True):
            total += piece.cast(pl.Float64, strict=False).fill_null(0).to_numpy() * size
        total = np.where(series.str.starts_with("-").fill_null(False).to_numpy(), -total, total)
        return pl.Series(np.where(known.to_numpy(), total, np.nan)).fill_nan(None)

    def write(self, seconds: np.ndarray) -> pl.Series:
        """Return texts, to the millisecond."""
        distinct, at = np.unique(seconds, return_inverse=True)
        text = self._on_clock if self.clock else self._in_words
        return pl.Series([("-" if v < 0 else "") + text(round(abs(v), 3)) for v in distinct.tolist()],
                         dtype=pl.String).gather(at)

    def _on_clock(self, value: float) -> str:
        thousandths = round(value * 1000)
        seconds, rest = divmod(thousandths, 1000)
        days, seconds = divmod(seconds, 86_400) if "days" in self.clock else (0, seconds)
        width = 2 if "hh" in self.clock else 1
        day = "day" if days == 1 and "day/" in self.clock else "days"
        return ((f"{days} {day} " if "days" in self.clock else "")
                + f"{seconds // 3600:0{width}d}:{seconds // 60 % 60:02d}"
                + (f":{seconds % 60:02d}" if "ss" in self.clock else "")
                + (f".{rest:03d}" if "fff" in self.clock else ""))

    def _in_words(self, value: float) -> str:
        out: list[str] = []
        for i, word in enumerate(self.words):
            size = _MEANING[word.split("/")[0].lower()]
            last = i == len(self.words) - 1
            count = value / size if last else value // size
            value -= count * size
            if self.zeros or count > 1e-9 or (last and not out):
                number = f"{count:.3f}".rstrip("0").rstrip(".")
                out.append(number + self.space + word.split("/")[0 if number == "1" else -1])
        return self.between.join(out)


def find(texts: Iterable[str]) -> tuple[DurationText | None, float]:
    """Return the form in which most texts are spans of time, and the share of texts that are in it."""
    texts = list(texts)
    on_clock = [m for m in (re.match(_CLOCK, t) for t in texts) if m]
    form = _clock(on_clock) if len(on_clock) > len(texts) / 2 else _words(texts)
    if form is None:
        return None, 0.0
    return form, 1 - form.read(pl.Series(texts, dtype=pl.String)).null_count() / len(texts)


def _clock(found: list[re.Match[str]]) -> DurationText:
    days = "days " if any(m[2] for m in found) else ""
    if any(re.match("-?1 day ", m[0]) for m in found):
        days = "day/days "
    hours = "hh" if min(len(m[3]) for m in found) > 1 else "h"
    seconds = ":ss" if any(m[5] for m in found) else ""
    return DurationText(clock=f"{days}{hours}:mm{seconds}{'.fff' if any('.' in (m[5] or '') for m in found) else ''}")


def _words(texts: list[str]) -> DurationText | None:
    pieces = [p for t in texts for p in _PIECE.findall(t)]
    words = Counter(p[2] for p in pieces if p[2].lower() in _MEANING)
    if not words:
        return None
    by_size: dict[float, list[str]] = {}
    for word, _ in words.most_common():
        by_size.setdefault(_MEANING[word.lower()], []).append(word)
    spelled = ["/".join(sorted(by_size[size][:2], key=len)) for size in sorted(by_size, reverse=True)]
    joints = Counter(p[3] for p in pieces if p[3])
    space = Counter(p[1] for p in pieces).most_common(1)[0][0]
    between = joints.most_common(1)[0][0] if joints else ("" if len(spelled) > 1 else " ")
    zeros = len(spelled) > 1 and all(len(_PIECE.findall(t)) in (0, len(spelled)) for t in texts)
    return DurationText(words=spelled, space=space, between=between, zeros=zeros)
