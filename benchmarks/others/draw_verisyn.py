"""verisyn on half a database or on histories, unaided: keys and links are found from the data.

    python draw_verisyn.py HALVES/SET OUT [GENERATOR]
"""

import json
import sys
import time
from pathlib import Path

import verisyn as vs

source, out = Path(sys.argv[1]), Path(sys.argv[2])
generator = sys.argv[3] if len(sys.argv) > 3 else None
schema = json.loads((source / "schema.json").read_text())
told = {} if "tables" in schema else {"entity": schema["entity"] or (), "time": schema["time"]}
data = source / "train" if "tables" in schema else source / "train" / "data.parquet"
start = time.process_time()
model = vs.fit(data, generator=generator, audit=False, jobs=1, **told)
fitted = time.process_time()
made = model.sample_tables(seed=0, jobs=1)
drawn = time.process_time()
out.mkdir(parents=True, exist_ok=True)
for name, frame in made.items():
    frame.write_parquet(out / f"{name}.parquet")
print(json.dumps({"fit": round(fitted - start, 1), "sample": round(drawn - fitted, 1),
                  "rows": {name: frame.height for name, frame in made.items()}}))
