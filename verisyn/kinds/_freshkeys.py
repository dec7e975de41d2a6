"""Keeps new keys apart from the real ones by construction, without storing a real one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, groupby
from typing import NamedTuple

import polars as pl

from verisyn.kinds._checksums import Check
from verisyn.kinds._patterns import DIGITS, Pattern, general_class, skeletons
from verisyn.kinds._settings import tally

CHANCE = 1e-6
"""The largest share of new keys that may meet a real one by chance: one in a million, far below what any count of
copies can see. UUIDs, hashes and long tokens stay below it and keep their form."""
ROOM = 10
"""A space for new keys holds at least this many times the rows that were seen, so that larger samples fit too."""
_SET = 5
_ZERO = "0"
"""Never leads a new key that real ones do not lead with it: read as a number, 0123 would be 123, perhaps a real one."""
_AMBIGUOUS = "IOQ"
"""Letters that vehicle numbers leave out, and that keys with check characters can do without."""


class Wanted(NamedTuple):
    """What a space for new keys must be: how large, with which checksum, and fit for a column of numbers or not."""

    size: int
    k: int
    check: Check | None = None
    numeric: bool = False


def checked_places(pattern: Pattern, check: Check | None) -> list[int]:
    """Return the positions of a pattern that hold its check characters."""
    if not check:
        return []
    places = alphanumeric(pattern)
    at = check.at if check.at >= 0 else max(0, len(places) - check.width)
    return places[at:at + check.width]


def alphanumeric(pattern: Pattern) -> list[int]:
    """Return the positions that are no separators."""
    return [at for at, letters in enumerate(pattern.alphabets) if letters[0].isalnum()]


def body(pattern: Pattern, check: Check | None) -> Pattern:
    """Return the pattern of what is chosen freely: all, or the letters and digits that check characters follow."""
    if not check:
        return pattern
    fixed = checked_places(pattern, check)
    kept = [pattern.alphabets[at] for at in alphanumeric(pattern) if at not in fixed]
    return Pattern(tuple(a.translate(str.maketrans("", "", _AMBIGUOUS)) or a for a in kept))


def fresh_patterns(patterns: dict[str, float], values: pl.Series, k: int, check: Check | None = None,
                   numeric: bool = False) -> dict[str, float]:
    r"""Change patterns learnt from `values` so that they give none of them, where meeting one is likely enough.

    A pattern whose space is dense in real keys is restricted, at one position, to characters that no key has there.
    Where each position needs all its characters it grows by a character, to a length that no key has. A pattern
    with a checksum whose length is fixed may stay as it is.

    Parameters
    ----------
    patterns : dict
        Shares by pattern, as :func:`learn_patterns` gives them.
    values : Series
        All known keys as text, (rows,).
    k : int
        Keys that must share a character before its absence from the new ones may tell of it.
    check : Check, optional
        The checksum that the keys carry.
    numeric : bool, default False
        Whether the keys become numbers, so that a leading zero would be lost.

    Examples
    --------
    >>> keys = pl.Series([f"{'HLM'[i % 3]}{1 + i % 2}{i:03d}" for i in range(0, 1000, 7)])
    >>> fresh_patterns({r"[HLM][12]\d{3}": 1.0}, keys, k=5)
    {'[HLM][03456789]\\d{3}': 1.0}
    >>> fresh_patterns({r"\d{3}": 1.0}, keys.str.slice(2), k=5)
    {'[123456789]\\d{3}': 1.0}
    """
    wanted = Wanted(ROOM * len(values), k, check, numeric)
    forms = skeletons(values)
    taken = {*forms.unique()}
    out: dict[str, float] = {}
    for text, share in patterns.items():
        pattern = Pattern.parse(text)
        mine = values.filter(forms == skeleton(pattern)).alias("key")
        if numeric:
            pattern = _replaced(pattern, 0, pattern.alphabets[0].replace(_ZERO, "") or _ZERO)
        if len(mine) > CHANCE * body(pattern, check).size:
            pattern = _restricted(pattern, mine, wanted) or _grown(pattern, taken, wanted) or pattern
        out[pattern.text] = out.get(pattern.text, 0.0) + share
    return _merged(out)


def skeleton(pattern: Pattern) -> str:
    """Return the form of a pattern's keys: ``w`` for a letter or digit, separators as they are."""
    return skeletons(pl.Series(["".join(letters[0] for letters in pattern.alphabets)]))[0]


def _merged(patterns: dict[str, float]) -> dict[str, float]:
    """Give the share of patterns that grew into one form to the widest of them: overlapping ones would repeat keys."""
    widest: dict[str, str] = {}
    shares: dict[str, float] = {}
    for text in sorted(patterns, key=lambda text: -Pattern.parse(text).size):
        first = widest.setdefault(skeleton(Pattern.parse(text)), text)
        shares[first] = round(shares.get(first, 0.0) + patterns[text], 4)
    return {text: shares[text] for text in patterns if text in shares}


def _replaced(pattern: Pattern, at: int, letters: str) -> Pattern:
    return Pattern((*pattern.alphabets[:at], letters, *pattern.alphabets[at + 1:]))


def _restricted(pattern: Pattern, mine: pl.Series, wanted: Wanted) -> Pattern | None:
    """Return the pattern with one position restricted to characters that no key has there; the largest such one."""
    best: tuple[tuple[bool, int, int], Pattern | None] = ((False, 0, 0), None)
    for at, new in _restrictions(pattern, mine, wanted):
        varies, size = len(pattern.alphabets[at]) > 1, body(new, wanted.check).size
        rank = (varies, size, -at if varies else at)
        if size >= wanted.size and (best[1] is None or rank > best[0]):
            best = rank, new
    return best[1]


def _restrictions(pattern: Pattern, mine: pl.Series, wanted: Wanted) -> Iterator[tuple[int, Pattern]]:
    fixed = checked_places(pattern, wanted.check)
    for at in alphanumeric(pattern):
        letters = pattern.alphabets[at]
        # A constant is a name or a code; it changes only where the checksum fixes the length.
        if at in fixed or (len(letters) == 1 and not wanted.check):
            continue
        counts = tally(mine.str.slice(at, 1))
        used = {*counts["value"]}
        if counts["rows"].min() < wanted.k:  # type: ignore[operator]
            continue
        open_to = general_class(used) if wanted.check or {*letters} <= {*DIGITS} else letters
        barred = used | {*(_AMBIGUOUS if wanted.check else "")} | {*(_ZERO if at == 0 else "")}
        free = "".join(c for c in open_to if c not in barred)
        if free:
            yield at, _replaced(pattern, at, free)


def _grown(pattern: Pattern, taken: set[str], wanted: Wanted) -> Pattern | None:
    """Return the pattern with more characters, of a form that no key has; None where the checksum allows none."""
    at, letters = _growing(pattern)
    lead = letters.replace(_ZERO, "") if letters == DIGITS else letters
    for more in count():
        new = Pattern((*pattern.alphabets[:at], lead, *[letters] * more, *pattern.alphabets[at:]))
        length = len(alphanumeric(new))
        if wanted.check and length > max(wanted.check.lengths):
            return None
        allowed = not wanted.check or length in wanted.check.lengths
        if allowed and skeleton(new) not in taken and body(new, wanted.check).size >= wanted.size:
            return new
    raise AssertionError


def _growing(pattern: Pattern) -> tuple[int, str]:
    """Return where the longest run of one class begins, and the class; the end and digits where there is none."""
    at, runs = 0, [(0, -len(pattern.alphabets), DIGITS)]
    for letters, run in groupby(pattern.alphabets):
        length = len([*run])
        if len(letters) > _SET:
            runs.append((length, -at, letters))
        at += length
    _, start, letters = max(runs)
    return -start, letters


def joiner(patterns: dict[str, float], values: pl.Series) -> str:
    """Return what stands between a key and one more number: dashes, as many as no real or new key ends with."""
    made = pl.Series(["".join(a[0] for a in Pattern.parse(text).alphabets) for text in patterns], dtype=pl.String)
    texts = pl.concat([values.cast(pl.String).alias("text"), made.alias("text")])
    return next("-" * n for n in count(1) if not texts.str.contains("-" * n + r"\d+$").any())


def met(patterns: dict[str, float], values: pl.Series, check: Check | None = None) -> float:
    r"""Return the expected share of new keys that are real ones, 0 to 1.

    Examples
    --------
    >>> met({r"[AB]\d": 1.0}, pl.Series(["A1", "B7", "C3"]))
    0.1
    """
    total = sum(patterns.values())
    share = 0.0
    for text, weight in patterns.items():
        pattern = Pattern.parse(text)
        real = int(values.str.contains(_expression(pattern)).sum())
        share += weight / total * min(1.0, real / body(pattern, check).size)
    return share


def _expression(pattern: Pattern) -> str:
    """Return a regular expression that matches a pattern's keys."""
    runs = ((letters, len([*run])) for letters, run in groupby(pattern.alphabets))
    return "^" + "".join("[" + "".join(rf"\x{{{ord(c):x}}}" for c in a) + f"]{{{n}}}" for a, n in runs) + r"\z"


def fresh_range(lowest: int, highest: int, rows: int, bounds: tuple[int, int]) -> tuple[int, int]:
    """Return a range without a real number, with the same number of digits and rounded ends where there is room.

    Parameters
    ----------
    lowest, highest : int
        The smallest and the largest real number.
    rows : int
        How many real numbers there are.
    bounds : (int, int)
        What the data type holds.

    Examples
    --------
    >>> fresh_range(1_203_551, 8_840_112, 1000, (-(2**63), 2**63 - 1))
    (8850000, 9999999)
    """
    floor, limit = bounds
    if highest < 0:
        low, high = fresh_range(-highest, -lowest, rows, (-limit, -floor))
        return -high, -low
    digits = len(str(max(highest, -lowest)))
    coarse = 10 ** max(0, digits - 3)
    above, below = (highest // coarse + 1) * coarse, lowest // coarse * coarse - 1
    longer = 10**digits, min(10 ** (digits + 1) - 1, limit)
    choices = [(above, min(10**digits - 1, limit)), (10 ** (digits - 1), below), longer, (highest + 1, limit),
               (0, lowest - 1), (floor, lowest - 1)]
    apart = [(low, high) for low, high in choices if high - low + 1 >= ROOM * rows and (low > highest or high < lowest)]
    return apart[0] if apart else (floor if lowest < 0 else 0, limit)


def after(start: int, step: int, numbers: pl.Series) -> int:
    """Return `start`, moved on by whole steps until no real number lies ahead.

    Examples
    --------
    >>> after(1, 5, pl.Series([1, 2, 30])), after(9, -2, pl.Series([3, 8])), after(50, 1, pl.Series([1, 2]))
    (31, 1, 50)
    """
    if numbers.is_empty():
        return start
    lowest, highest = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    short = highest - start if step > 0 else start - lowest
    return start + step * (short // abs(step) + 1) if short >= 0 else start
