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
    group = Group()
    for view in ("plain", "live"):
        points = _records(setting, view)
        group.curves[f"records, {view} view"] = points
        count, seconds, _ = points[-1]
        (_, early, low), (_, late, high) = points[1], points[-2]
        figures = f"{count:,.0f} records in {seconds:.1f} s of CPU"
        group.rows.append(
            Row(
                f"a record through mediator, hub, journal and {view} view",
                figures,
                1e6 * seconds / count,
                60.0,
                "≤",
                " µs",
            )
        )
        linear = (late / 0.9) / (early / 0.1) if len(points) > 10 else late / count / (early / points[1][0])
        group.rows.append(Row("the same: the last ones, against the first tenth", "1 = linear", linear, 1.2, "≤"))
        more = (high - low) * 2**20 / (points[-2][0] - points[1][0])
        figures = f"{low:.0f} MiB after a tenth, {high:.0f} MiB at the end; the answer itself is kept"
        group.rows.append(Row("the same: memory", figures, more, 0, "", " bytes a record"))
    program = setting.inside("exchanges", str(setting.scale.exchanges))
    costs = json.loads(run(program).out)
    group.curves["exchanges"] = [[float(n), cost] for n, cost in enumerate(costs, 1)]
    tenth = max(1, len(costs) // 10)
    first, last = median(costs[:tenth]), median(costs[-tenth:])
    figures = f"{first:.2f} ms of CPU each at first, {last:.2f} ms after {len(costs):,}"
    group.rows.append(Row("an exchange, 40 pieces, when the session grows", figures, last / first))
    return group


def _records(setting: Setting, view: str) -> list[list[float]]:
    """Points of records, CPU seconds and MiB."""
    told = setting.folder / f"records-{view}.jsonl"
    told.unlink(missing_ok=True)
    program = setting.inside("records", str(setting.scale.records), view, str(told))
    run(Program(program.argv, program.env, tty=view == "live"))
    return [json.loads(line) for line in told.read_text().splitlines()]
