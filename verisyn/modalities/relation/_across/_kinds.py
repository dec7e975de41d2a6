"""Every kind of constraint between tables, by its name in the schema."""

from __future__ import annotations

from verisyn.errors import UserError, did_you_mean
from verisyn.modalities.relation._across._between import BaseBetween
from verisyn.modalities.relation._across._copies import Copy
from verisyn.modalities.relation._across._derived import Derived
from verisyn.modalities.relation._across._orders import Order
from verisyn.modalities.relation._across._upward import KINDS as UPWARD
from verisyn.schema import Constraint, Link

KINDS: dict[str, type[BaseBetween]] = {"copy": Copy, "derived": Derived, "order": Order, **UPWARD}


def kind(constraint: Constraint, link: Link) -> type[BaseBetween]:
    """Return the kind of a constraint.

    Raises
    ------
    UserError
        If there is none of that name.
    """
    if constraint.kind not in KINDS:
        raise UserError(f"The link {link.name!r} has a constraint of the kind {constraint.kind!r}, which is not known "
                        f"between tables. {did_you_mean(constraint.kind, KINDS)}")
    return KINDS[constraint.kind]
