"""Times as a person reads them."""

from __future__ import annotations

import pytest

from asstproxy.text.figures import duration

DURATIONS = {
    0: "0 ms",
    0.0004: "0 ms",
    0.31: "310 ms",
    0.9994: "999 ms",
    0.9996: "1.0 s",
    1.24: "1.2 s",
    59.94: "59.9 s",
    59.96: "1 min",
    125: "2 min 5 s",
    3599.4: "59 min 59 s",
    3720: "1 h 2 min",
    100_000: "27 h 46 min",
}


@pytest.mark.parametrize(("seconds", "shown"), DURATIONS.items())
def test_durations(seconds: float, shown: str) -> None:
    """Two or three figures, the unit that fits."""
    assert duration(seconds) == shown
