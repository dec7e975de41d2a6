"""The form of new keys: what the settings ask for, completed and checked, and what may be promised of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._freshkeys import after, body, joiner, met
from verisyn.kinds._keys import WHATS, limits
from verisyn.kinds._patterns import Pattern
from verisyn.kinds._regenerated import written


def rooms(state: dict[str, Any]) -> tuple[int, int]:
    """Return how many numbers a sequence has from `start` on, and how many from `turn` on, the other way."""
    lowest, highest = limits(state["dtype"])
    start, step, turn = state["start"], state["step"], state["turn"]
    floor = 0 if step > 0 and turn >= 0 else lowest
    up = (highest - start if step > 0 else start - lowest) // abs(step) + 1
    down = (turn - floor if step > 0 else highest - turn) // abs(step) + 1
    # A numpy index must be comparable with both, and so with their sum.
    return min(max(up, 0), 2**61), min(max(down, 0), 2**61)


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
    numbers = _numbers(state, values) if "start" in state or "low" in state else pl.Series([], dtype=pl.Int64)
    if what in ("sequence", "numbered"):
        state["start"] = after(state["start"], state["step"], numbers)
    if what == "sequence":
        ends = numbers.extend_constant(max(-(2**63), min(state["start"], 2**63 - 1)), 1)
        smallest, largest = int(ends.min()), int(ends.max())  # type: ignore[arg-type]
        state["turn"] = (smallest if state["step"] > 0 else largest) - state["step"]
        if sum(rooms(state)) < len(values):
            lowest, highest = limits(dtype)
            state = {"what": "number", "low": lowest if smallest < 0 else 0, "high": highest, "dtype": dtype}
    if state["what"] == "number":
        state["more"] = after(state["high"] + 1, 1, numbers)
    if what == "pattern":
        _try_check(where, state)
        state["joiner"] = joiner(state["patterns"], values)
    return state


def _try_check(where: str, state: dict[str, Any]) -> None:
    """Raise where a pattern gives keys that its checksum cannot be computed of."""
    check = CHECKS.get(state.get("check", ""))
    for text in state["patterns"] if check else ():
        letters = "".join(a[0] for a in body(Pattern.parse(text), check).alphabets)
        try:
            fits = check is not None and len(check.complete(letters)) in check.lengths
        except (ValueError, KeyError, IndexError):
            fits = False
        if not fits:
            raise UserError(f"The pattern {text!r} {where} gives keys that cannot carry the checksum "
                            f"{state['check']!r}. Give patterns of its letters and length, or leave 'check' out.")


def _numbers(state: dict[str, Any], values: pl.Series) -> pl.Series:
    """Return the whole numbers in real keys of a numbered form."""
    texts = written(values)
    if state["what"] == "numbered":
        texts = texts.filter(texts.str.starts_with(state["prefix"]) & texts.str.ends_with(state["suffix"]))
        texts = texts.str.strip_prefix(state["prefix"]).str.strip_suffix(state["suffix"])
    return texts.cast(pl.Int64, strict=False).drop_nulls()


def notes_on(name: str, asked: dict[str, Any], state: dict[str, Any], values: pl.Series) -> Iterator[str]:
    """Yield what the report says about the new keys; `asked` are the settings in the schema."""
    share = _met(state, values)
    told = "none is a real one" if not share else f"one can meet a real one by chance (about 1 in {1 / share:,.0f})"
    yield f"Column {name!r} holds keys; they were made anew, and {told}{_but(state, len(values))}."
    if "start" in state and asked.get("start", state["start"]) != state["start"]:
        yield (f"New keys of column {name!r} start at {state['start']}, not at {asked['start']} as the schema says: "
               "from there on they would meet real ones.")
    if state["what"] == "pattern" and _longer(state, values):
        yield (f"New keys of column {name!r} can be longer than real ones: real ones leave too little room in their "
               "own form.")
    if values.n_unique() < len(values):
        yield f"Some keys of column {name!r} repeat in the real data; the new ones are all different."
    if state.get("check"):
        yield f"The new keys of column {name!r} carry the right {CHECKS[state['check']].said}."
    if state["what"] == "sequence" and rooms(state)[0] < 20 * len(values):
        yield (f"Column {name!r} is {state['dtype']}: where its numbers run out, keys continue on the other side of "
               "the real ones.")


def _met(state: dict[str, Any], values: pl.Series) -> float:
    """Return the expected share of new keys that are real ones; 0 where no new key can be."""
    if state["what"] == "pattern":
        return met(state["patterns"], written(values), CHECKS.get(state.get("check", "")))
    if state["what"] == "number":
        low, high = state["low"], state["high"]
        return int(_numbers(state, values).is_between(low, high).sum()) / (high - low + 1)
    return 0.0


def _longer(state: dict[str, Any], values: pl.Series) -> bool:
    """Return whether a pattern gives keys that are longer than all real ones."""
    longest: Any = written(values).str.len_chars().max() or 0
    return max(len(Pattern.parse(text).alphabets) for text in state["patterns"]) > longest


def _but(state: dict[str, Any], rows: int) -> str:
    """Say how many keys there are, where the pattern is narrow enough for it to matter."""
    if state["what"] != "pattern":
        return ""
    size = min(body(Pattern.parse(text), CHECKS.get(state.get("check", ""))).size for text in state["patterns"])
    if size > 1000 * rows:
        return ""
    return (f" (the narrowest pattern has {size:,} values; beyond them a key gets one more number, as in "
            f"'…{state['joiner']}1')")
