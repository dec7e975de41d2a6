"""Whole databases: half of the subjects learnt from, scored against the other half by neutral judges, beside rivals and floors.

    export VERISYN_DATA=<folder of NAME/*.parquet and NAME/meta.json>
    python benchmarks/relations.py [--data northwind,cdnow] [--peers copies,shuffled,verisyn,mostlyai,sdv] [--envs ENVS] [--work FOLDER]

ENVS holds the rivals' virtual environments (``pip install "mostlyai[local]" pyarrow`` in ``mostlyai``, ``pip install sdv pyarrow`` in
``sdv``). A rival runs in a process of its own, on one thread, with keys and links stated; verisyn finds them itself. What was run and
scored is kept in FOLDER and not run again. CPU seconds and memory are those of a peer's whole tree of processes, fit and sample.

`copies` hands the learnt half out as synthetic: its figures are the best that the other half allows, its privacy the worst.
`shuffled` gives every child to a random parent. Best: orphans and twice 0 (beyond the source's own), cardinality (KS) 0, the judges'
AUC 0.5 (parents with aggregates of their children, mean and worst link; rows joined with all their parents; tables alone), hops and
rules 1, nearer to those learnt from 0.5. A judge is asked where there are at least 40 parents, smaller tables being mere names; names,
addresses, phone numbers and text that no two rows share are not shown to it, as whoever protects them makes up others. SDV's open tier
refuses more than five tables or one level of children, which is what the sets named _core are for, and links of a table to itself.
"""

from __future__ import annotations

from _halves import DATABASES
from _peers import arguments, tell
from _score_relations import score

COLUMNS = {"orphans": ("orphans", 3), "twice": ("keys twice", 3), "cardinality": ("cardinality KS", 3), "agg": ("C2ST-Agg", 3),
           "agg_worst": ("worst link", 3), "joined": ("C2ST joined", 3), "alone": ("C2ST tables", 3), "hop1": ("1 hop", 3),
           "hop2": ("2 hops", 3), "rules": ("rules kept", 3), "nearer_train": ("nearer train", 3)}


def main() -> None:
    asked = arguments(__doc__, tuple(DATABASES))
    tell(asked, COLUMNS, score)


if __name__ == "__main__":
    main()
