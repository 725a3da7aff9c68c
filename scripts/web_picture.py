"""Takes the pictures of `asst web` for the docs: `python scripts/web_picture.py`, with Debian's chromium and chromium-driver.

The sessions are real: `asst web` talks to the local protocol server of the tests; a tool waits for a click, and three
profiles answer at once.
Pillow makes them small.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from servers import Call, ResponsesServer, Say, Script, Think  # noqa: E402 - of the tests
from web.browser import Browser, start_browser  # noqa: E402 - of the tests

TOOL = '''
def run_sql(query: str) -> list[dict[str, object]]:
    """Run a query on the shop's database."""
    return [{"status": "refunded", "n": 41, "first": 10212, "last": 10977}]
'''
SQL = "select status, count(*) n, min(id) first, max(id) last from orders where not exported group by 1"
ANSWER = """All 41 are **refunded** orders, ids 10,212 to 10,977. Nothing else is missing.

| status | in `orders` | in the export |
|---|--:|--:|
| paid | 8,204 | 8,204 |
| open | 311 | 311 |
| refunded | 41 | **0** |

The join with `payments` drops every order whose payment row was deleted by the refund:

```python
def orders(db: Connection) -> Rows:
    \"\"\"Every order of the day, with its payment if there is one.\"\"\"
    return db.execute("select * from orders o left join payments p on p.order_id = o.id")
```
"""


OTHERS = {"quick": "gpt-6-mini", "careful": "gpt-6-pro"}
"""Profiles that are asked as well, and their models."""
ANTI = """Use an anti-join:

```sql
select o.id from orders o
left join export e on e.id = o.id
where e.id is null
```

It keeps the rows of `orders` for which the join found nothing.
"""
SHORT = "`select id from orders except select id from export`, if both have the same columns."
LONG = """Three ways, and when each is right:

1. **`not exists`** reads best, and copes with `null`.
2. **An anti-join** (`left join … where e.id is null`) gives the same plan in most databases.
3. **`except`** compares whole rows, and drops duplicates.

| | `null` safe | duplicates |
|---|---|---|
| `not exists` | yes | kept |
| anti-join | yes | kept |
| `except` | yes | dropped |
| `not in` | **no** | kept |

With `not in`, a single `null` in the other table makes the result empty, which is the mistake that people make here most often.
"""


def _one_of_three(request: Any) -> list[Think | Say]:
    match request["model"]:
        case "gpt-6-mini":
            return [Say(SHORT, pace=0.02)]
        case "gpt-6-pro":
            return [Think("Compare the ways.", pace=0.15), Say(LONG, pace=0.04)]
        case _:
            return [Think("An anti-join.", pace=0.1), Say(ANTI, pace=0.03)]


def main() -> None:
    """Take them."""
    with tempfile.TemporaryDirectory() as folder, ResponsesServer() as api:
        for kind in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"ASST_{kind}_DIR"] = f"{folder}/{kind}"
        os.environ |= {"OPENAI_BASE_URL": api.base_url, "OPENAI_API_KEY": api.key}
        Path(f"{folder}/CONFIG").mkdir(mode=0o700)
        (Path(folder) / "shop.py").write_text(TOOL)
        os.environ["PYTHONPATH"] = folder
        config = Path(f"{folder}/CONFIG/config.toml")
        others = "".join(f'[profiles.{name}]\nprovider = "gpt"\nmodel = "{model}"\n' for name, model in OTHERS.items())
        config.write_text(f'default = "work"\n[profiles.work]\nprovider = "gpt"\ntools = ["shop:run_sql"]\n{others}')
        config.chmod(0o600)
        think = Think("Compare both sides by id first.", pace=0.2)
        api.brain = Script([think, Call("run_sql", {"query": SQL})], [Say(ANSWER, pace=0.006)])
        command = ["asst", "web", "--port", "0", "--no-open", "-p", "work", *(f"-p{name}" for name in OTHERS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                _take(server.stdout.readline().strip() if server.stdout else "", api)
            finally:
                server.terminate()


def _take(address: str, api: ResponsesServer) -> None:
    driver = start_browser(1360, 1063)
    try:
        page = Browser(driver, address)
        page.send("Last night's export has 41 rows fewer than `orders`. Which ones are missing, and why?")
        page.until(lambda: page.all("[data-decide=yes]"))
        time.sleep(1.2)  # a person reads it
        _save(driver, "web-approval.png")
        page.click("[data-decide=yes]")
        page.until(lambda: page.all(".state.completed") and page.all(".md table"))
        time.sleep(0.8)
        dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        time.sleep(0.4)
        _save(driver, "web.png")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        api.models = {**api.models, **dict.fromkeys(OTHERS.values())}
        api.brain = _one_of_three
        page.click("#new")
        page.click("#both")
        page.click("#pick")
        page.click("[data-also=careful]")
        driver.execute_script("document.getElementById('picker').hidePopover()")
        page.send("How do I find rows that are in one table and not in the other?")
        page.until(lambda: len(page.all(".lane .state.completed")) == 2 and len(page.all(".lane .md")) == 3)
        time.sleep(0.4)  # the third still writes
        _save(driver, "web-compare.png")
    finally:
        driver.quit()


def _save(driver: Any, name: str) -> None:
    """With 256 colours: a page of text needs no more, and is half of the size."""
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(ROOT / "docs" / name, optimize=True)


if __name__ == "__main__":
    main()
