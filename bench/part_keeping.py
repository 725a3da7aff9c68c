"""What a record and an exchange cost inside: mediator, hub, journal, transcript, view; and how that grows."""

from __future__ import annotations

import json
from statistics import median

from process import Program, run
from setting import Setting
from table import Group, Row

__all__ = ["measure"]


def measure(setting: Setting) -> Group:
    """Pieces of one answer with both views, exchanges of one session."""
    group = Group(runs=1)
    for view in ("plain", "live"):
        count = setting.scale.records
        tenth, points = _records(setting, view, count // 10), _records(setting, view, count)
        group.curves[f"records, {view} view"] = points
        low, high = tenth[-1], points[-1]
        what = f"a record through mediator, hub, journal and {view} view"
        figures = f"{count:,} records in {high[1]:.1f} s of CPU"
        group.rows.append(Row(what, figures, 1e6 * high[1] / count, 60.0, "≤", " µs"))
        linear = (high[1] / high[0]) / (low[1] / low[0])
        group.rows.append(Row("the same: against a tenth as many", "1 = linear", linear, 1.1, "≤"))
        peak, base = (max(point[2] for point in some) for some in (points, tenth))
        more = (peak - base) * 2**20 / (high[0] - low[0])
        figures = f"{base:.0f} MiB with a tenth, {peak:.0f} MiB with all; the answer itself is kept"
        group.rows.append(Row("the same: memory", figures, more, unit=" bytes a record"))
    program = setting.inside("exchanges", str(setting.scale.exchanges))
    costs = json.loads(run(program).out)
    group.curves["exchanges"] = [[float(n), cost] for n, cost in enumerate(costs, 1)]
    some = max(1, len(costs) // 10)
    first, last = median(costs[:some]), median(costs[-some:])
    figures = f"{first:.2f} ms of CPU each at first, {last:.2f} ms after {len(costs):,}"
    group.rows.append(Row("an exchange, 40 pieces, when the session grows", figures, last / first))
    return group


def _records(setting: Setting, view: str, count: int) -> list[list[float]]:
    """Points of records, CPU seconds and MiB; the last one is after the end, with everything drawn and kept."""
    told = setting.folder / f"records-{view}.jsonl"
    told.unlink(missing_ok=True)
    program = setting.inside("records", str(count), view, str(told))
    run(Program(program.argv, program.env, tty=view == "live"))
    return [json.loads(line) for line in told.read_text().splitlines()]
