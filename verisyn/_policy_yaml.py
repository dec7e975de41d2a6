"""Reading a policy file: every mistake is a sentence with its line."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import yaml

from verisyn.errors import UserError, did_you_mean
from verisyn.policy import VERDICTS, Requirement, Unanswered

_KEYS = ("verdict", "at_most", "at_least", "sure", "unanswered", "reason")
_EXAMPLE = "lines such as 'privacy.*: good' or 'fidelity.two_sample: {at_most: 0.65}'"


def policy(text: str, name: str) -> tuple[tuple[Requirement, ...], float | None]:
    """Return the requirements of a policy in YAML, in its order, and the largest synthetic share to learn from.

    Raises
    ------
    UserError
        If it has a mistake.

    Examples
    --------
    >>> policy("fit: {max_synthetic: 0.5}", "policy.yaml")
    ((), 0.5)
    >>> policy("privacy.*: god", "policy.yaml")
    Traceback (most recent call last):
        ...
    verisyn.errors.UserError: policy.yaml, line 1: 'privacy.*' asks for the verdict 'god'. Did you mean 'good'?
    """
    lines = _lines(text, name)
    line, default = lines.pop("unanswered", (0, None))
    _check("unanswered", default, f"{name}, line {line}")
    fit = lines.pop("fit", None)
    if not lines and not fit:
        raise UserError(f"{name} asks for nothing; expected {_EXAMPLE}.")
    asked = tuple(_requirement(key, told, f"{name}, line {line}", default) for key, (line, told) in lines.items())
    return asked, _fit(fit[1], f"{name}, line {fit[0]}") if fit else None


def _fit(told: Any, where: str) -> float:
    """Return what the key ``fit`` asks of the rows that a generator may learn from."""
    if not isinstance(told, Mapping) or set(told) != {"max_synthetic"}:
        raise UserError(f"{where}: 'fit' asks for {told!r}; expected {{max_synthetic: 0.5}}, the largest share of "
                        "synthetic rows to learn from.")
    share = told["max_synthetic"]
    if not _is_number(share) or not 0 <= share <= 1:
        raise UserError(f"{where}: max_synthetic is {share!r}; a share from 0 to 1 was expected.")
    return float(share)


def _lines(text: str, name: str) -> dict[str, tuple[int, Any]]:
    """Return each top key of a YAML mapping with its line and its content."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise UserError(f"{name} is no policy: expected {_EXAMPLE}.")
        told = [(str(key.value), key.start_mark.line + 1, loader.construct_object(value, deep=True))
                for key, value in node.value]
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UserError(f"{name}{where} is not valid YAML: {getattr(e, 'problem', None) or e}.") from None
    found: dict[str, tuple[int, Any]] = {}
    for key, line, value in told:
        if key in found:
            raise UserError(f"{name}, line {line}: {key!r} is asked about a second time. Put both in one line.")
        found[key] = (line, value)
    return found


def _requirement(pattern: str, told: Any, where: str, default: Unanswered | None) -> Requirement:
    settings = {"verdict": told} if isinstance(told, str) else told
    if not isinstance(settings, Mapping) or not settings:
        raise UserError(f"{where}: {pattern!r} asks for {told!r}; expected a verdict ({', '.join(VERDICTS)}) or "
                        "settings such as {at_most: 0.65}.")
    for key, value in settings.items():
        _check(str(key), value, f"{where}: {pattern!r}")
    unanswered = settings.get("unanswered", default)
    named = "refuse" if "*" not in pattern else None
    return Requirement(pattern, **{**settings, "unanswered": unanswered or named})


def _check(key: str, value: Any, where: str) -> None:
    """Refuse a setting that is not known, or a value that it cannot have."""
    if key not in _KEYS:
        raise UserError(f"{where} has the setting {key!r}, which means nothing here. {did_you_mean(key, _KEYS)}")
    if key == "verdict" and value not in VERDICTS:
        raise UserError(f"{where} asks for the verdict {value!r}. {did_you_mean(value, VERDICTS)}")
    if key in ("at_most", "at_least") and not _is_number(value):
        raise UserError(f"{where}: {key} is {value!r}; a number was expected.")
    if key == "sure" and not isinstance(value, bool):
        raise UserError(f"{where}: sure is {value!r}; true or false was expected.")
    if key == "reason" and not isinstance(value, str):
        raise UserError(f"{where}: reason is {value!r}; text was expected.")
    if key == "unanswered" and value not in ("allow", "refuse", None):
        raise UserError(f"{where}: unanswered is {value!r}; 'allow' or 'refuse' was expected.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
