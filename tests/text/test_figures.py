"""Times as a person reads them."""

from __future__ import annotations

import pytest

from asstproxy.text.figures import duration

DURATIONS = {
    0: "0ms",
    0.0004: "0ms",
    0.31: "310ms",
    0.9994: "999ms",
    0.9996: "1.0s",
    1.24: "1.2s",
    59.94: "59.9s",
    59.96: "1m00s",
    125: "2m05s",
    3599.4: "59m59s",
    3720: "1h02m",
    100_000: "27h46m",
}


@pytest.mark.parametrize(("seconds", "shown"), DURATIONS.items())
def test_durations(seconds: float, shown: str) -> None:
    """Two or three figures, the unit that fits."""
    assert duration(seconds) == shown
