"""What must hold between a child's row and its parent's: found with its evidence, kept, its cost told.

A constraint of a link (:attr:`verisyn.schema.Link.constraints`) names the child's columns first and the parent's last:

- ``copy (child, parent)``: the child repeats the parent's value (``Invoice.BillingCity`` is ``Customer.City``);
- ``derived (child, …, parent)``: the child's first column is computed from its others and from the parent's last;
- ``order (child, parent)``: the child's moment or number is not before, or not after, the parent's;
- ``total``, ``mean (child, …, parent)``: the parent's column is the sum, or the mean, of its children's;
- ``extreme (child, parent)``: the parent's column is the least or the greatest of its children's;
- ``count (parent)``: the parent's column is the number of its children.

How they are kept: columns that follow from others need not be learnt (:attr:`Rules.recomputed`); once every table is
drawn and every child points to its parent, :meth:`Rules.settle` computes them (copies from the top down, totals from
the bottom up), and mends what is out of order by as few of the children's cells as it can.
"""

from verisyn.modalities.relation._across._find import found
from verisyn.modalities.relation._across._rules import Check, Ledger, Rules

__all__ = ["Check", "Ledger", "Rules", "found"]
