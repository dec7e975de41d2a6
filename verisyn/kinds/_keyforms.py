"""The form of new keys: what the settings ask for, completed and checked, and what may be promised of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._keys import WHATS
from verisyn.kinds._patterns import Pattern


def limits(dtype: str) -> tuple[int, int]:
    """Return the smallest and the largest whole number that a data type holds."""
    if dtype.startswith(("Int", "UInt")):
        info = np.iinfo(dtype.lower())
        return int(info.min), min(int(info.max), 2**63 - 1)
    return -(2**53), 2**53


def rooms(state: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many numbers a sequence has from `start` on, how many from `below` down, and the lowest of these."""
    lowest, highest = limits(state["dtype"])
    floor = 0 if state["below"] >= 0 else lowest
    start, step, below = state["start"], state["step"], state["below"]
    up = (highest - start) // step + 1 if step > 0 else (start - lowest) // -step + 1
    down = (below - floor) // abs(step) + 1
    # A numpy index must be comparable with both, and so with their sum.
    return min(max(up, 0), 2**61), min(max(down, 0), 2**61), floor


def lacks(settings: dict[str, Any]) -> bool:
    """Return whether settings leave something to be found."""
    return "what" not in settings or any(name not in settings for name in WHATS.get(settings["what"], ()))


def complete(name: str, found: dict[str, Any], values: pl.Series, dtype: str) -> dict[str, Any]:
    """Check the form and fill in what a user left out.

    Raises
    ------
    UserError
        If the form is unknown or cannot be made.
    """
    where = f"of column {name!r} (kind id)"
    what = found["what"]
    if what not in WHATS:
        raise UserError(f"The setting 'what' {where} is {what!r}. {did_you_mean(what, WHATS)}")
    if found.get("check") and found["check"] not in CHECKS:
        raise UserError(f"The setting 'check' {where} is {found['check']!r}. {did_you_mean(found['check'], CHECKS)}")
    state = {**WHATS[what], **found, "dtype": dtype}
    for text, share in state.get("patterns", {}).items():
        if not isinstance(share, (int, float)) or share < 0:
            raise UserError(f"The setting 'patterns' {where} gives {text!r} the share {share!r}; "
                            "give a number from 0 on.")
        Pattern.parse(text)
    if what == "pattern" and not sum(state["patterns"].values()):
        raise UserError(f"The setting 'patterns' {where} is empty. Give at least one, "
                        r"such as '[A-Z]{2}-\d{6}: 1'.")
    if what == "number" and state["high"] < state["low"]:
        raise UserError(f"The settings {where} give no numbers: 'high' {state['high']} is below 'low' {state['low']}.")
    if what in ("sequence", "numbered") and not state["step"]:
        raise UserError(f"The setting 'step' {where} is 0, so keys would repeat. Give another step.")
    if what == "sequence":
        smallest: Any = values.min() if len(values) and values.dtype.is_numeric() else state["start"]
        state["below"] = min(int(smallest), state["start"], 2**63 - 1) - abs(state["step"])
        if sum(rooms(state)[:2]) < len(values):
            lowest, highest = limits(dtype)
            state = {"what": "number", "low": lowest if int(smallest) < 0 else 0, "high": highest, "dtype": dtype}
    return state


def notes_on(name: str, state: dict[str, Any], values: pl.Series) -> Iterator[str]:
    """Yield what the report says about the new keys."""
    told = "none is a real one" if _fresh(state, values) else "one can meet a real one by chance"
    yield f"Column {name!r} holds keys; they were made anew, and {told}{_but(state, len(values))}."
    if values.n_unique() < len(values):
        yield f"Some keys of column {name!r} repeat in the real data; the new ones are all different."
    if state.get("check"):
        yield f"The new keys of column {name!r} carry the right {CHECKS[state['check']].said}."
    room = limits(state["dtype"])[1] - state.get("start", 0)
    if state["what"] == "sequence" and room < 20 * len(values) * abs(state["step"]):
        yield f"Column {name!r} is {state['dtype']}: where its numbers run out, keys go on below the smallest real one."


def _fresh(state: dict[str, Any], values: pl.Series) -> bool:
    """Return whether no new key can be one of these values."""
    what = state["what"]
    if what == "numbered":
        texts = values.cast(pl.String)
        numbers = texts.str.extract(r"(\d{1,15})\D*$").cast(pl.Int64)
        return bool((numbers < state["start"]).all()) and state["step"] > 0
    if what in ("sequence", "number") and values.dtype.is_numeric() and len(values):
        lowest, highest = int(values.min()), int(values.max())  # type: ignore[arg-type]
        if what == "number":
            return bool(state["low"] > highest or state["high"] < lowest)
        return bool(state["start"] > highest if state["step"] > 0 else state["start"] < lowest)
    return what == "uuid"


def _but(state: dict[str, Any], rows: int) -> str:
    """Say how many keys there are, where the pattern is narrow enough for it to matter."""
    if state["what"] != "pattern":
        return ""
    size = min(Pattern.parse(text).size for text in state["patterns"])
    if size > 1000 * rows:
        return ""
    return f" (the narrowest pattern has {size:,} values; beyond them a key gets one more number, as in '…-1')"
