"""Finding the form of keys: sequences, plain numbers, numbered codes, UUIDs, patterns with and without a checksum."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from verisyn.kinds import Declined, _settings
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._freshkeys import fresh_patterns, fresh_range
from verisyn.kinds._patterns import learn_patterns, skeletons
from verisyn.kinds._regenerated import TEXTS, share

Found = tuple[dict[str, Any], str]

WHATS: dict[str, dict[str, Any]] = {
    "sequence": {"start": 1, "step": 1},
    "number": {"low": 100_000, "high": 99_999_999},
    "numbered": {"prefix": "", "suffix": "", "width": 0, "start": 1, "step": 1},
    "uuid": {"version": 4, "form": "x-"},
    "pattern": {"patterns": {"[a-z0-9]{12}": 1.0}},
}
_UUID = r"(?i)^[0-9a-f]{8}(-?)[0-9a-f]{4}-?([1-8])[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$"
_AMOUNT = r"^[-+$€£¥]?\d[\d.,]*([%€$£¥]|kg|km|cm|mm|m|g|lb|oz|l|ml|[kmg]b|s|ms|h|min)?$"
_MOMENT = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?$|^\d{1,2}:\d{2}"
_NUMBERED = r"^(\D*)(\d{1,15})(\D*)$"
_HINTED = {"ean": {"ean", "gtin", "upc", "isbn", "barcode"}, "isbn10": {"isbn"}, "imei": {"imei"}, "vin": {"vin"}}


def limits(dtype: str) -> tuple[int, int]:
    """Return the smallest and the largest whole number that a data type holds."""
    if dtype.startswith(("Int", "UInt")):
        info = np.iinfo(dtype.lower())
        return int(info.min), min(int(info.max), 2**63 - 1)
    return -(2**53), 2**53


def find(values: pl.Series, words: list[str], named: bool, k: int, must: bool = False) -> Found:
    """Return the settings that describe the keys, and the end of a sentence that says what they are.

    Parameters
    ----------
    values : Series
        Known values, in row order.
    words : list of str
        The words of the column's name.
    named : bool
        Whether the name says that these are keys; without it the values alone must be convincing.
    k : int
        Values that must share a literal before it is kept.
    must : bool, default False
        Take the nearest form instead of declining.

    Raises
    ------
    Declined
        If they do not look like keys.
    """
    try:
        if values.dtype in TEXTS:
            return _text(values.cast(pl.String), words, named, k)
        return _whole(values, words, named)
    except Declined:
        if not must:
            raise
    plain = _ascii(values.cast(pl.String)) if values.dtype in TEXTS else pl.Series([], dtype=pl.String)
    if values.dtype in TEXTS:
        if counted := _counted(values.cast(pl.String), k):
            return counted[0], ""
        learnt = learn_patterns(plain, k) if len(plain) else WHATS["pattern"]["patterns"]
        return {"what": "pattern", "patterns": fresh_patterns(learnt, values.cast(pl.String), k)}, ""
    return {"what": "sequence", "start": 1, "step": 1}, ""


def _whole(values: pl.Series, words: list[str], named: bool) -> Found:
    numbers = values.cast(pl.Int64, strict=False).drop_nulls()
    if numbers.is_empty():
        raise Declined("no whole numbers")
    lowest, highest, rows = int(numbers.min()), int(numbers.max()), len(numbers)  # type: ignore[arg-type]
    steps = numbers.diff().drop_nulls().unique()
    if len(steps) == 1 and steps[0]:
        step = int(steps[0])
        if not named and (abs(step) != 1 or rows < 25 or (lowest >= 1500 and highest <= 2200) or "year" in words):
            raise Declined("a column of evenly spaced numbers is not a key by itself")
        start = (highest if step > 0 else lowest) + step
        return {"what": "sequence", "start": start, "step": step}, f"the numbers run on by {step}"
    if not named:
        raise Declined("different numbers are not keys by themselves")
    check = _checksum(numbers.cast(pl.String), words, numeric=True)
    if check:
        return check
    if rows >= 0.05 * (highest - lowest + 1) or numbers.is_sorted():
        return {"what": "sequence", "start": highest + 1, "step": 1}, "the name says that it is a key"
    low, high = fresh_range(lowest, highest, rows, limits(str(values.dtype)))
    return {"what": "number", "low": low, "high": high}, "the name says that it is a key"


def _text(values: pl.Series, words: list[str], named: bool, k: int) -> Found:
    sample = _settings.distinct(values)
    if sample.is_empty():
        raise Declined("no values")
    uuids = sample.str.extract_groups(_UUID)
    if uuids.struct.field("2").is_not_null().mean() >= 0.95:  # type: ignore[operator]
        version = _settings.tally(uuids.struct.field("2"))["value"][0]
        dashes = "-" if uuids.struct.field("1").drop_nulls()[0] else ""
        form = ("X" if share(sample, "^[^a-f]+$") > 0.9 else "x") + dashes
        return {"what": "uuid", "version": int(version), "form": form}, f"the values are UUIDs (version {version})"
    _must_be_coded(sample, named)
    check = _checksum(values, words)
    if check:
        return check
    if counted := _counted(values, k):
        return counted
    patterns = learn_patterns(_ascii(values.gather_every(max(1, len(values) // 50_000))), k)
    fresh = fresh_patterns(patterns, values, k)
    told = "" if fresh.keys() == patterns.keys() else f"; new keys follow {next(iter(fresh))}, which none of them does"
    return {"what": "pattern", "patterns": fresh}, f"the values follow the pattern {next(iter(patterns))}{told}"


def _counted(values: pl.Series, k: int) -> Found | None:
    """Return the form of codes with a running number and the same text, in any script, around it."""
    parts = values.str.extract_groups(_NUMBERED).struct.unnest()
    parts.columns = ["prefix", "number", "suffix"]
    frames = parts.select("prefix", "suffix").unique()
    if frames.height != 1 or frames["prefix"][0] is None or len(values) < k:
        return None
    numbers = parts["number"].cast(pl.Int64)
    lowest, highest = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    if len(values) < 0.05 * (highest - lowest + 1):
        return None
    widths = parts["number"].str.len_chars().unique()
    prefix, suffix = frames.row(0)
    padded = widths[0] if len(widths) == 1 else 0
    said = "the values are numbered" + (f" like '{prefix}…{suffix}'" if prefix or suffix else "")
    return {"what": "numbered", "prefix": prefix, "suffix": suffix, "width": padded, "start": highest + 1,
            "step": 1}, said


def _must_be_coded(sample: pl.Series, named: bool) -> None:
    """Decline words, amounts, moments, addresses of the web: what is unique but no key."""
    if share(sample, r"^[!-~]+( [!-~]+)?$") < 0.98 or share(sample, "@|://") > 0.02:
        raise Declined("the values are not plain codes")
    digits = share(sample, r"\d")
    if share(sample, r"\s") > 0.05 and not (named and digits > 0.9):
        raise Declined("the values hold several words")
    padded = sample.str.len_chars().n_unique() == 1 and share(sample, r"^0\d") > 0
    if share(sample, _MOMENT) > 0.9 or (share(sample, _AMOUNT) > 0.9 and not named and not padded):
        raise Declined("the values are amounts or moments")
    uniform = share(sample, r"^[A-Z0-9_-]+$") > 0.98 and sample.str.len_chars().n_unique() == 1
    top = _settings.tally(skeletons(sample))["rows"].head(10).sum() / len(sample)
    if named and (uniform or digits >= 0.5 or sample.str.len_chars().n_unique() == 1):
        return
    if len(sample) < 10 or top < 0.9 or not (digits >= 0.95 or (uniform and len(sample) >= 50)):
        raise Declined("the values look like words, not like keys")


def _checksum(values: pl.Series, words: list[str], numeric: bool = False) -> Found | None:
    """Return a pattern with a checksum if nearly all values pass; one in ten does by chance, so the name must hint."""
    sample = _settings.distinct(values)
    for check, hints in _HINTED.items():
        if not hints & {*words}:
            continue
        bare = sample.str.replace_all("[ -]", "")
        right = pl.Series([CHECKS[check].passes(v) for v in bare.to_list()], dtype=pl.Boolean)
        passing = float(right.mean() or 0)  # type: ignore[arg-type]
        if passing >= 0.98:
            patterns = learn_patterns(sample.filter(right), _settings.K)
            patterns = fresh_patterns(patterns, values, _settings.K, CHECKS[check], numeric)
            found = {"what": "pattern", "patterns": patterns, "check": check}
            return found, f"{passing:.0%} carry the right {CHECKS[check].said}"
    return None


def _ascii(values: pl.Series) -> pl.Series:
    """Return the values that are plain printable ASCII, not longer than 200 characters."""
    return values.filter(values.str.contains(r"^[ -~]{1,200}$"))
