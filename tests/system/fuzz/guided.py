"""One target under atheris, for some seconds: `python -m fuzz.guided TARGET SECONDS FOLDER`, with the tests on the path.

The folder gets what is worth trying (`corpus`), and, when something is found, the data (`crash-…`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["asstproxy"], enable_loader_override=False):
    from system.fuzz.targets import TARGETS

name, seconds, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
target = TARGETS[name]
corpus = folder / "corpus"
corpus.mkdir()
for number, seed in enumerate((*target.seeds, *target.found)):
    (corpus / f"seed-{number}").write_bytes(seed)
options = [
    f"-max_total_time={seconds}",
    "-timeout=20",
    "-rss_limit_mb=4096",
    "-max_len=8192",
    f"-artifact_prefix={folder}/",
]
atheris.Setup([sys.argv[0], *options, str(corpus)], target.call)
atheris.Fuzz()
