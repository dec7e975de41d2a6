"""What was found means for use: the answer, what each question's verdict allows, the sentences that matter most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verisyn.findings import Assessment, Finding, Verdict
from verisyn.report._words import ASKS, ENDS, by_question, count

MOST_LEADS = 5

_ANSWERS: dict[Verdict, str] = {
    "good": "Yes, as far as these tests reach.",
    "fair": "With care.",
    "poor": "Not as it is.",
    "not answered": "These tests cannot tell.",
}
_USE: dict[Verdict, str] = {
    "good": "the synthetic rows behave like real rows",
    "fair": "the synthetic rows behave like real rows in most respects, with differences to know of",
    "poor": "the synthetic rows differ from real rows in ways that matter",
    "not answered": "whether the synthetic rows behave like real rows could not be measured",
}
_PRIVACY: dict[Verdict, str] = {
    "good": "no attack that was tried told the rows it was made from apart from rows it never saw",
    "fair": "attacks found weak traces of the rows it was made from, or too few rows to rule them out",
    "poor": "attacks found clear traces of the rows it was made from",
    "not answered": "what it tells of the rows it was made from could not be measured",
}
_DISCLOSED = "some of them are real rows, or made from single real rows, and as confidential as those"
_MEANS: dict[str, dict[Verdict, str]] = {
    "fidelity": {
        "good": "Fit for exploring, charts and statistics.",
        "fair": "Fit for exploring; before you rely on a figure, look at what is named here.",
        "poor": "Not fit for conclusions about the real data; what differs is named here.",
        "not answered": "Unknown: whether it looks like the real data could not be measured."},
    "models": {
        "good": "Fit for training models on {target}.",
        "fair": "Models on {target} can be trained on it, at some loss.",
        "poor": "Not fit for training models on {target}."},
    "utility": {
        "good": "Fit for the analyses that were tried on it.",
        "fair": "Fit for the analyses that were tried on it, with some loss.",
        "poor": "Not fit for the analyses that were tried on it.",
        "not answered": "Unknown: name the column that models shall predict (--target)."},
    "privacy": {
        "good": "Nothing that was tried speaks against sharing it, where your rules allow that.",
        "fair": "Weak traces, or too few rows to rule them out: share it only with people whom you would trust with "
                "parts of the real data.",
        "poor": "Do not share it outside: keep it as confidential as the real rows.",
        "not answered": "Unknown: keep it as confidential as the real rows, and give real rows that the generator "
                        "never saw (--holdout)."},
    "fairness": {
        "good": "Groups fare as in the real data; what is unfair there is unfair here too.",
        "fair": "Groups fare a little differently than in the real data; look before it serves decisions on people.",
        "poor": "Not fit for decisions on people: groups fare differently than in the real data.",
        "not answered": "Unknown: name the columns that tell groups apart (--sensitive)."},
    "steering": {
        "good": "The rows are what was wished for.",
        "fair": "The rows are nearly what was wished for; what is named here falls short.",
        "poor": "The rows are not what was wished for; what is named here fails.",
        "not answered": "Whether the rows are what was wished for could not be measured."},
}
CAVEATS = {
    "privacy": "These are measurements of this data under the attacks named here: bounds on what they could learn, not "
               "a promise about attacks nobody tried. Each is read against real rows that the generator never saw. The "
               "model that made this data can tell more than the data: keep it as confidential as the real rows.",
}
SIDES = {"synthetic": "Synthetic", "train": "Real, seen by the generator", "holdout": "Real, held against it"}
_WORSE: tuple[Verdict, ...] = ("good", "fair", "poor")


@dataclass(frozen=True)
class Answer:
    """The answer to 'May I use this data?': a verdict, a few words and one sentence."""

    verdict: Verdict
    words: str
    sentence: str


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict among the answered findings; ``"not answered"`` where none was.

    Examples
    --------
    >>> worst(Finding("a.b", "", verdict, "") for verdict in ("good", "fair", "not answered"))
    'fair'
    """
    answered = [_WORSE.index(f.verdict) for f in findings if f.verdict != "not answered"]
    return _WORSE[max(answered)] if answered else "not answered"


def answer(assessment: Assessment) -> Answer:
    """Answer 'May I use this data?': the worst of what was found, where both use and privacy were measured at all.

    Examples
    --------
    >>> found = Assessment((Finding("fidelity.x", "?", "good", ""), Finding("privacy.y", "?", "poor", "")))
    >>> answer(found).words
    'Not as it is.'
    """
    use = worst(f for f in assessment.findings if f.question != "privacy")
    privacy = worst(f for f in assessment.findings if f.question == "privacy")
    traces = _DISCLOSED if any(f.name == "privacy.provenance" for f in assessment.findings) else _PRIVACY[privacy]
    both = (use, privacy)
    verdict: Verdict = next((v for v in ("poor", "not answered", "fair") if v in both), "good")
    link = "and" if (use == "good") == (privacy == "good") else "but"
    return Answer(verdict, _ANSWERS[verdict], f"In these tests, {_USE[use]}, {link} {traces}.")


def means(question: str, findings: Sequence[Finding]) -> str:
    """Say what a question's verdict means for use; nothing for a question that is not known here.

    Examples
    --------
    >>> means("utility", [Finding("utility.x", "", "good", "", details={"target": "income"})])
    "Fit for training models on 'income'."
    """
    verdict = worst(findings)
    targets = [f.details["target"] for f in findings if f.verdict == verdict and f.details.get("target")]
    if question == "utility" and targets and verdict != "not answered":
        return _MEANS["models"][verdict].format(target=repr(targets[0]))
    return _MEANS.get(question, {}).get(verdict, "")


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: poor, fair, good, not answered; the surer first among equals; sanity checks last."""
    def place(finding: Finding) -> tuple[int, int, float]:
        if finding.verdict == "not answered":
            return 3, finding.sanity, 0.0
        unsure = (0.0 if finding.verdict == "poor" else 1.0) if finding.p is None else finding.p
        return 2 - _WORSE.index(finding.verdict), finding.sanity, 0.0 if finding.verdict == "good" else unsure

    return sorted(findings, key=place)


def leads(assessment: Assessment, most: int = MOST_LEADS) -> list[Finding]:
    """Return the findings that matter most: the worst of each question, then what else is not good; worst first."""
    groups = by_question([f for f in assessment.findings if f.verdict != "not answered"])
    firsts = [worst_first(group)[0] for group in groups.values()]
    others = [f for f in worst_first(assessment.findings) if f.verdict in ("poor", "fair") and f not in firsts]
    known = [*ASKS]
    order = {q: i for i, q in enumerate([*known, *(q for q in groups if q not in known)])}
    return worst_first(sorted([*firsts, *others][:most], key=lambda f: order[f.question]))


def ends(findings: Iterable[Finding], end: str) -> str:
    """Say what floors (or ceilings) are, as far as findings tell of others than the usual.

    Examples
    --------
    >>> ends([Finding("a.b", "", "good", "", floor=0.1, details={"floor_says": "links drawn at random"})], "floor")
    'links drawn at random'
    """
    told = [f.details.get(f"{end}_says") or ENDS[end] for f in findings if getattr(f, end) is not None]
    return ", or ".join(dict.fromkeys(map(str, told))) or ENDS[end]


def judged(assessment: Assessment) -> list[str]:
    """Say how many questions were asked, how chance among many of them is kept in check, and which rows were judged."""
    about, findings = assessment.about, assessment.findings
    said = [_asked(about, findings), _chance(sum(f.p is not None for f in findings)), _aims(about),
            "Not every row was judged, but a sample drawn by the seed; every interval tells how far a measure on so "
            "many rows can be off." if about.get("sampled") else ""]
    return [sentence for sentence in said if sentence]


def _asked(about: Mapping[str, Any], findings: Sequence[Finding]) -> str:
    answered = sum(f.verdict != "not answered" for f in findings)
    were = "was" if len(findings) == 1 else "were"
    effort = f" at the effort '{about['effort']}'" if about.get("effort") else ""
    return (f"{count(len(findings), 'question')} {were} asked{effort}, and {answered} answered. Each finding's page "
            "has its rule and its definition.")


def _chance(tested: int) -> str:
    from verisyn.metrics._asking import FALSE_ALARMS

    if not tested:
        return ""
    return (f"Many questions raise false alarms by chance alone. {tested} of these verdicts carry a p-value; among "
            "them a poor one stands only where it survives the control of the false discovery rate over all questions "
            f"(Benjamini and Hochberg 1995): of all alarms, {FALSE_ALARMS:.0%} at most are expected to be false. One "
            "that does not survive is called fair, and says so.")


def _aims(about: Mapping[str, Any]) -> str:
    target, sensitive = about.get("target"), about.get("sensitive")
    aims = [f"models were asked to predict {target!r}"] if target else []
    aims += [f"people were told apart by {', '.join(map(repr, sensitive))}"] if sensitive else []
    return f"Where a question needs it, {', and '.join(aims)}." if aims else ""


def tallied(changes: Mapping[str, Any]) -> str:
    """Say how many things changed for the better and for the worse.

    Examples
    --------
    >>> tallied({"compared": 7, "found": [{"name": "a.b", "better": False, "what": "value"}]})
    '1 worse, none better; 7 questions were answered both times'
    """
    ways = [change["better"] for change in changes["found"]]
    told = [f"{ways.count(way) or 'none'} {word}" for way, word in ((False, "worse"), (True, "better"))]
    counts = ", ".join(told) if any(way is not None for way in ways) else "nothing better or worse"
    were = "was" if changes["compared"] == 1 else "were"
    return f"{counts}; {count(changes['compared'], 'question')} {were} answered both times"


def way(change: Mapping[str, Any]) -> tuple[str, str]:
    """Return the tone of a change, and a word for it."""
    known = {True: ("good", "better"), False: ("poor", "worse")}
    neutral = {"appeared": "new", "vanished": "gone", "setting": "setting"}
    return known.get(change["better"], ("", neutral.get(change["what"], "other")))


def policed(policy: Mapping[str, Any]) -> str:
    """Say in a sentence how a policy was met."""
    failed, asked = sum(not r["passed"] for r in policy["requirements"]), len(policy["requirements"])
    if not failed:
        return f"All {asked} requirements of {policy['file']} are met." if asked > 1 else f"{policy['file']} is met."
    return f"{failed} of {count(asked, 'requirement')} of {policy['file']} {'is' if failed == 1 else 'are'} not met."
