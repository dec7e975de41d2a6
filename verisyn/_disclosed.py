"""What rows that are real, or made from single real rows, disclose by their origin alone."""

from __future__ import annotations

import inspect

from verisyn.findings import Finding
from verisyn.provenance import Provenance


def by_provenance(provenance: Provenance | None) -> Finding | None:
    """Return the finding that rows are real, or made from single real rows; None where none is known to be.

    No attack need be tried on such rows: noise, SMOTE and mixup keep most of what they are made from (Ganev et al.
    2025 reconstruct real rows from those of SMOTE with perfect precision).

    Examples
    --------
    >>> from verisyn.provenance import Provenance, Source
    >>> found = by_provenance(Provenance((Source("a", "synthetic", 700), Source("b", "derived", 300))))
    >>> found.verdict, found.value
    ('poor', 0.3)
    """
    share = provenance.share("real", "derived") if provenance else 0.0
    if provenance is None or not share:
        return None
    shares = {kind: f"{provenance.share(kind):.1%}" for kind in ("real", "derived") if provenance.share(kind)}
    words = {"real": "are real rows", "derived": "are made from single real rows (noise, SMOTE, mixup)"}
    said = " and ".join(f"{share} of them {words[kind]}" for kind, share in shares.items())
    return Finding(
        "privacy.provenance", "Are there real rows among these, or rows made from single real ones?", "poor",
        f"By their provenance, {said}: these are as confidential as the real rows, whatever the attacks measure.",
        "poor: where any row is real, or derived from single real rows, by the provenance that the data carries",
        round(share, 6), details={"rows": provenance.to_dict()["sources"]}, best=0.0, worst=1.0,
        definition=inspect.cleandoc(by_provenance.__doc__ or "").split("Examples")[0].strip(),
        references=("https://arxiv.org/abs/2510.15083",))
