"""Patterns of machine-made text, written as a small subset of regular expressions, and values made from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import polars as pl

from verisyn.errors import UserError
from verisyn.kinds._settings import tally

DIGITS, _HEX = "0123456789", "0123456789abcdef"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_CLASSES = {r"\d": DIGITS, "[0-9a-f]": _HEX, "[0-9A-F]": _HEX.upper(), "[A-Z]": _UPPER, "[a-z]": _LOWER,
            "[A-Z0-9]": _UPPER + DIGITS, "[a-z0-9]": _LOWER + DIGITS, "[A-Za-z]": _UPPER + _LOWER,
            "[A-Za-z0-9]": _UPPER + _LOWER + DIGITS}
_GENERAL = [r"\d", "[A-Z]", "[a-z]", "[A-Z0-9]", "[a-z0-9]", "[A-Za-z]", "[A-Za-z0-9]"]
_TOKEN = re.compile(r"(\\d|\[[^\]]+\]|\\.|[^\[\]{}\\])(?:\{(\d+)\})?", re.DOTALL)
_COUNTED = 2**48
_SET = 5
_MASK = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True)
class Pattern:
    r"""One alphabet a position; a position with one letter is literal.

    Examples
    --------
    >>> Pattern.parse(r"\d{4}-[A-Z]{5}").size == 10**4 * 26**5
    True
    >>> Pattern.parse(r"[HLM]\d{5}").text
    '[HLM]\\d{5}'
    """

    alphabets: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        r"""Read a pattern: letters, ``\d``, sets such as ``[A-Z0-9]``, repeats such as ``{5}``.

        Raises
        ------
        UserError
            If the text holds anything else.
        """
        alphabets: list[str] = []
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if not token:
                raise UserError(f"The pattern {text!r} cannot be read from {text[at:at + 10]!r} on. It may hold "
                                r"letters, \d, sets such as [A-Z0-9] and repeats such as {5}.")
            alphabets += [_alphabet(token[1], text)] * int(token[2] or 1)
            at = token.end()
        return cls(tuple(alphabets))

    @property
    def text(self) -> str:
        """The pattern as it is written."""
        out, at = "", 0
        while at < len(self.alphabets):
            run = 1
            while at + run < len(self.alphabets) and self.alphabets[at + run] == self.alphabets[at]:
                run += 1
            piece = _written(self.alphabets[at])
            short = run == 1 or (run < 4 and len(self.alphabets[at]) == 1)
            out += piece * run if short else f"{piece}{{{run}}}"
            at += run
        return out

    @cached_property
    def size(self) -> int:
        """How many different values there are."""
        return prod(map(len, self.alphabets))

    def values(self, index: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the values of these indices, text (rows,).

        Different indices below ``min(size, 2**48)`` give different values. Positions beyond the first 2**48
        combinations are drawn from `rng` (or are the first letter of their alphabet).
        """
        rest, counted = index.astype(np.uint64), 1
        points = np.zeros((len(index), len(self.alphabets)), np.uint32)
        for at in reversed(range(len(self.alphabets))):
            letters = np.array([ord(c) for c in self.alphabets[at]], np.uint32)
            if counted < _COUNTED:
                rest, digit = np.divmod(rest, np.uint64(len(letters)))
                counted *= len(letters)
            else:
                digit = rng.integers(0, len(letters), len(index)) if rng is not None else np.zeros(len(index), int)
            points[:, at] = letters[digit.astype(np.int64)]
        return as_text(points)


def as_text(points: np.ndarray) -> np.ndarray:
    """Turn code points, uint32 of shape (rows, letters), into text of shape (rows,)."""
    rows, width = points.shape
    return np.ascontiguousarray(points).view(f"<U{width}")[:, 0] if width and rows else np.full(rows, "", "<U1")


def as_points(texts: list[str]) -> np.ndarray:
    """Turn texts of one length into code points, uint32 of shape (rows, letters)."""
    return np.array(texts).view(np.uint32).reshape(len(texts), -1)


def _alphabet(token: str, text: str) -> str:
    if token in _CLASSES:
        return _CLASSES[token]
    if token.startswith("["):
        spread = re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), token[1:-1])
        if not spread:
            raise UserError(f"The pattern {text!r} holds the empty set {token!r}. List its letters in order.")
        return "".join(dict.fromkeys(spread))
    return token[-1]


def _written(alphabet: str) -> str:
    if len(alphabet) == 1:
        return "\\" + alphabet if alphabet in "[]{}\\" else alphabet
    return next((name for name, letters in _CLASSES.items() if letters == alphabet), f"[{alphabet}]")


def skeletons(values: pl.Series) -> pl.Series:
    """Return values with each ASCII letter and digit replaced by ``w``.

    Examples
    --------
    >>> skeletons(pl.Series(["7590-VHVEG"])).to_list()
    ['wwww-wwwww']
    """
    return values.str.replace_all("[A-Za-z0-9]", "w")


def learn_patterns(values: pl.Series, k: int, most: int = 10) -> dict[str, float]:
    """Return the patterns of machine-made values with their shares; a literal is one that at least `k` values share.

    A skeleton that fewer than `k` values have is dropped; where none is left, the most frequent one stays.
    """
    table = pl.DataFrame({"v": values, "s": skeletons(values)})
    counts = tally(table["s"]).head(most)
    kept = counts.filter(pl.col("rows") >= k)
    kept = kept if kept.height else counts.head(1)
    found: dict[str, float] = {}
    for skeleton, count in kept.iter_rows():
        texts = table.filter(pl.col("s") == skeleton)["v"].head(20_000).to_list()
        text = _learn_one(skeleton, texts, k).text
        found[text] = found.get(text, 0.0) + count
    total = sum(found.values())
    return {text: round(count / total, 4) for text, count in found.items()}


def _learn_one(skeleton: str, texts: list[str], k: int) -> Pattern:
    points = as_points(texts)
    varying = [at for at in range(points.shape[1]) if len(set(points[:, at])) > 1]
    joined = "".join(text[at] for text in texts[:500] for at in varying)  # constant letters tell nothing of the base
    letters = re.search("[a-fA-F]", joined)
    hexadecimal = letters and len(skeleton) >= 8 and re.fullmatch(r"[0-9a-f\W]+|[0-9A-F\W]+", joined)
    return Pattern(tuple(
        letter if letter != "w" else _learn_position(points[:, at], k, bool(hexadecimal))
        for at, letter in enumerate(skeleton)
    ))


def _learn_position(points: np.ndarray, k: int, hexadecimal: bool) -> str:
    letters, counts = np.unique(points, return_counts=True)
    seen = "".join(map(chr, letters))
    if len(seen) <= _SET and counts.min() >= k and not (hexadecimal and len(seen) > 1):
        return seen
    return general_class(set(seen), hexadecimal)


def general_class(seen: set[str], hexadecimal: bool = False) -> str:
    """Return the letters of the narrowest class that holds all the letters and digits seen.

    Examples
    --------
    >>> general_class({"1", "7"}), general_class({"c"}, hexadecimal=True)
    ('0123456789', '0123456789abcdef')
    """
    names = ["[0-9a-f]", "[0-9A-F]"] if hexadecimal else _GENERAL
    return next(_CLASSES[n] for n in [*names, "[A-Za-z0-9]"] if seen <= set(_CLASSES[n]))


def scramble(numbers: np.ndarray, key: int) -> np.ndarray:
    """Return well-mixed 64-bit numbers, the same for the same number and key (splitmix64)."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64((key * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & int(_MASK))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def permute(index: np.ndarray, size: int, key: int) -> np.ndarray:
    """Return where a keyed shuffle of ``0 … size-1`` puts each index: no two alike, nothing stored.

    A four-round Feistel network on the next power of four, walked until it lands below `size`.

    Examples
    --------
    >>> bool((np.sort(permute(np.arange(1000), 1000, key=7)) == np.arange(1000)).all())
    True
    """
    half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
    low = np.uint64((1 << int(half)) - 1)
    out = index.astype(np.uint64)
    todo = np.arange(len(out))
    while len(todo):
        left, right = out[todo] >> half, out[todo] & low
        for turn in range(4):
            left, right = right, left ^ (scramble(right, key + turn) & low)
        out[todo] = (left << half) | right
        todo = todo[out[todo] >= np.uint64(size)]
    return out
