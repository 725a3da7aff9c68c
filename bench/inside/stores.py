"""Makes a store of made-up sessions: `stores.py FOLDER COUNT`; see `sessions_made.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sessions_made import make

if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
