"""Free text; filled with placeholder words of similar length, no real word is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from verisyn.errors import UserError, did_you_mean
from verisyn.kinds import Declined, Draw, Recognised, _settings
from verisyn.kinds._placeholder import CASES, SCRIPTS, script_of, words_in
from verisyn.kinds._regenerated import TEXTS, Regenerated, known, share, type_name
from verisyn.schema import Column

modelled = False

_LENGTHS = np.linspace(0.02, 0.98, 25)
_SETTINGS = {"script": str, "case": str, "lengths": list, "k": int}


def recognise(values: pl.Series, name: str) -> Recognised:
    """Claim long texts that are mostly unique; any other text only where no kind wants it.

    Raises
    ------
    Declined
        If the values are not text.
    """
    if values.dtype not in TEXTS:
        raise Declined(f"{values.dtype} values are not text")
    sample = _settings.distinct(values).cast(pl.String)
    if sample.is_empty():
        return Recognised(0.1, "Text without a single value.")
    rows = len(values) - values.null_count()
    words = float(sample.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]
    letters = float(sample.str.len_chars().mean() or 0)  # type: ignore[arg-type]
    different = values.drop_nulls().n_unique() / rows
    if different > 0.5 and (words >= 3 or letters >= 25):
        return Recognised(0.5, f"Free text of {words:.0f} words on average; {different:.0%} of the values differ.")
    return Recognised(0.1, f"Text that is nothing more definite; {different:.0%} of the values differ.")


class Coder(Regenerated):
    """Writes placeholder text with the lengths, letter case, end marks and script of the training texts."""

    kind = "text"

    @classmethod
    def learn(cls, frame: pl.DataFrame, columns: Sequence[Column], rng: np.random.Generator) -> Self:
        """Learn lengths, script, letter case and end marks; no word is kept."""
        column = columns[0]
        settings = _settings.read(column, _SETTINGS)
        series = frame[column.name]
        dtype = type_name(series, cls.kind)
        values = series.filter(known(series)).cast(pl.String)
        _check(column.name, settings)
        shape = _shape(values.gather_every(max(1, len(values) // 50_000)))
        state = {**shape, **settings, "dtype": dtype, "missing": len(values) < len(series)}
        return cls([column.name], state | {"notes": [
            f"Column {column.name!r} holds free text; it was filled with placeholder text of similar length, which "
            "carries no meaning."]})

    def make(self, draw: Draw) -> pl.Series:
        """Write one text a row."""
        s, rng, rows = self.settings, draw.rng, draw.rows
        lengths = np.rint(np.interp(rng.random(rows), np.linspace(0, 1, len(s["lengths"])), s["lengths"])).astype(int)
        lengths[rng.random(rows) < s["empty"]] = 0
        pool, joint = words_in(s["script"])
        drawn = pool[rng.integers(0, len(pool), int(lengths.sum()))]
        ends = np.cumsum(lengths)
        mark = rng.random(rows) < s["marks"]
        case = CASES[s["case"]]
        made = [case(joint.join(drawn[end - length:end]), s["sentence"], joint) + ("." if dot and length else "")
                for end, length, dot in zip(ends, lengths, mark, strict=True)]
        return pl.Series(made, dtype=pl.String)


def _shape(values: pl.Series) -> dict[str, Any]:
    """Return the learnt settings: quantiles of the number of words from 2 % to 98 %, and shares of habits."""
    full = values.filter(values.str.contains(r"\S"))
    if full.is_empty():
        empty = float(len(values) > 0)
        return {"lengths": [1.0], "empty": empty, "marks": 0.0, "case": "lower", "sentence": 0, "script": "latin"}
    script = script_of("".join(full.head(500).str.slice(0, 200).to_list()))
    counts = full.str.len_chars() if SCRIPTS[script].solid else full.str.count_matches(r"\S+")
    quantiles = np.quantile(counts.to_numpy(), _LENGTHS)
    marks = share(full, r"[.!?。！？]\s*$")
    sentences = float(full.str.count_matches(r"[.!?。！？](\s|$)").mean() or 0)  # type: ignore[arg-type]
    sentence = max(4, round(float(quantiles.mean() / sentences))) if sentences >= 1.5 else 0
    return {"lengths": [round(float(q), 1) for q in quantiles], "empty": round(1 - len(full) / len(values), 4),
            "marks": round(marks, 3), "case": _case(full), "sentence": sentence, "script": script}


def _case(full: pl.Series) -> str:
    if share(full, r"\p{Lu}") * (1 - share(full, r"\p{Ll}")) > 0.5:
        return "upper"
    if share(full, r"^\P{L}*\p{Lu}") < 0.5:
        return "lower"
    upper, every = (int(full.str.count_matches(p).sum()) for p in (r"\s\p{Lu}", r"\s\p{L}"))
    return "title" if upper > 0.6 * every else "sentence"


def _check(name: str, settings: dict[str, Any]) -> None:
    for setting, allowed in (("script", SCRIPTS), ("case", CASES)):
        if setting in settings and settings[setting] not in allowed:
            raise UserError(f"The setting {setting!r} of column {name!r} (kind text) is {settings[setting]!r}. "
                            f"{did_you_mean(settings[setting], allowed)}")
    lengths = settings.get("lengths", [1])
    if not lengths or not all(isinstance(n, (int, float)) and n >= 0 for n in lengths) or sorted(lengths) != lengths:
        raise UserError(f"The setting 'lengths' of column {name!r} (kind text) is {lengths!r}, but a rising list of "
                        "numbers of words is expected, such as [1, 5, 20].")
