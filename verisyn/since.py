"""What changed since an earlier assessment of the same source: verdicts, values, questions, settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from verisyn.errors import UserError
from verisyn.findings import Assessment, Finding

What = Literal["verdict", "value", "appeared", "vanished", "setting"]
RULE = ("A value is said to have moved where the 95 % intervals of then and now do not meet; where both are equally "
        "wide, chance alone does this to about one question in 180.")
_RANK = {"good": 0, "fair": 1, "poor": 2}
_SETTINGS = ("source", "generator", "target", "effort", "sensitive")


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was.

    Parameters
    ----------
    name : str
        The finding, ``question.metric``; the setting where that changed.
    what : str
        verdict, value, appeared, vanished or setting.
    better : bool or None
        Whether this is good news; None where it is neither.
    sentence : str
        What was, and what is, for a person.
    """

    name: str
    what: What
    better: bool | None
    sentence: str


@dataclass(frozen=True)
class Changes:
    """Everything that changed since an earlier assessment.

    Parameters
    ----------
    since : str
        What the data was compared with.
    rule : str
        When a value is said to have moved.
    compared : int
        Questions that were answered both then and now.
    found : tuple of Change
        The worst news first.
    """

    since: str
    rule: str
    compared: int
    found: tuple[Change, ...]

    @classmethod
    def between(cls, before: Assessment, now: Assessment, since: str) -> Changes:
        """Compare two assessments; `since` says for a person what the earlier one is."""
        answered = [{f.name for f in a.findings if f.value is not None} for a in (before, now)]
        return cls(since, RULE, len(answered[0] & answered[1]), tuple(changes(before, now)))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values only."""
        return {**asdict(self), "found": [asdict(change) for change in self.found]}


def previous(folder: Path, source: str | None = None) -> Assessment | None:
    """Return the assessment that stands in a folder, if it can be read and is of `source`, where one is named."""
    try:
        found = Assessment.load(folder / "assessment.json")
    except UserError:
        return None
    return found if source in (None, found.about.get("source")) else None


def compared(now: Assessment, since: str | Path | None, folder: Path) -> Assessment:
    """Say in an assessment what changed since an earlier one.

    Parameters
    ----------
    now : Assessment
        The new one.
    since : path, optional
        The earlier one. Without it: the one in `folder`, if it is of the same source.
    folder : Path
        Where the new one shall be written.

    Raises
    ------
    UserError
        If `since` is no assessment.
    """
    if since is not None:
        before, source = Assessment.load(since), now.about.get("source")
        judged = before.about.get("source")
        other = "" if judged == source else f", which judged other data ({judged!r})"
        return now.told(changes=Changes.between(before, now, f"{since}{other}").to_dict())
    replaced = previous(folder, now.about.get("source"))
    if replaced is None:
        return now
    return now.told(changes=Changes.between(replaced, now, "the report that was replaced").to_dict())


def changes(before: Assessment, now: Assessment) -> list[Change]:
    """Return what changed, the worst news first, then good news, then the rest."""
    old, new = ({f.name: f for f in a.findings} for a in (before, now))
    found = [*_settings(before, now)]
    for name in dict.fromkeys([*new, *old]):
        change = _between(old.get(name), new.get(name))
        found += [change] if change else []
    return sorted(found, key=lambda c: (c.what == "setting", {False: 0, True: 1, None: 2}[c.better]))


def _settings(before: Assessment, now: Assessment) -> Iterator[Change]:
    for key in _SETTINGS:
        was, is_now = before.about.get(key), now.about.get(key)
        if was != is_now and was is not None:
            yield Change(key, "setting", None, f"The {key.replace('_', ' ')} was {_said(was)} and is {_said(is_now)}, "
                                               "which may explain other changes.")


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(repr, value)) or "none"
    return "none" if value is None else repr(value)


def _between(old: Finding | None, new: Finding | None) -> Change | None:
    if old is None and new is not None:
        return Change(new.name, "appeared", None, f"Asked for the first time: {new.title} {_now(new)}")
    if new is None or old is None:
        assert old is not None
        return Change(old.name, "vanished", None, f"No longer asked: {old.title} Then it was {old.verdict}.")
    if old.verdict != new.verdict:
        return Change(new.name, "verdict", _better(old, new), f"From {old.verdict} to {new.verdict}: {new.title}"
                                                              f"{_figures(old, new)}")
    if _moved(old, new):
        way = _nearer(old, new)
        word = {True: "Better", False: "Worse", None: "Different"}[way]
        return Change(new.name, "value", way, f"{word}, though still {new.verdict}: {new.title}{_figures(old, new)}")
    return None


def _now(finding: Finding) -> str:
    return f"It is {finding.verdict}." if finding.verdict != "not answered" else finding.reason


def _figures(old: Finding, new: Finding) -> str:
    from verisyn.report._words import figure

    if new.value is None:
        return f" {new.reason}"
    return f" {figure(old.value)} then, {figure(new.value)} now." if old.value is not None else ""


def _better(old: Finding, new: Finding) -> bool | None:
    """Whether a verdict improved; an answer that was lost or won is neither."""
    if "not answered" in (old.verdict, new.verdict):
        return None
    return _RANK[new.verdict] < _RANK[old.verdict]


def _moved(old: Finding, new: Finding) -> bool:
    if old.interval is None or new.interval is None:
        return False
    return new.interval[0] > old.interval[1] or new.interval[1] < old.interval[0]


def _nearer(old: Finding, new: Finding) -> bool | None:
    """Whether the value moved towards the best there is; None where that is not known."""
    if new.best is None or new.worst is None or old.value is None or new.value is None:
        return None
    return (new.value < old.value) == (new.best < new.worst)
