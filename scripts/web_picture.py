"""Takes the pictures of `asst web` for the docs: `python scripts/web_picture.py`, with Debian's chromium and chromium-driver.

Pillow makes them small.

The session is real: `asst web` talks to the local protocol server of the tests, and a tool waits for a click.
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
        config.write_text('default = "work"\n[profiles.work]\nprovider = "gpt"\ntools = ["shop:run_sql"]\n')
        config.chmod(0o600)
        think = Think("Compare both sides by id first.", pace=0.2)
        api.brain = Script([think, Call("run_sql", {"query": SQL})], [Say(ANSWER, pace=0.006)])
        with subprocess.Popen(["asst", "web", "--port", "0", "--no-open"], stdout=subprocess.PIPE, text=True) as server:
            try:
                _take(server.stdout.readline().strip() if server.stdout else "")
            finally:
                server.terminate()


def _take(address: str) -> None:
    driver = start_browser(1360, 987)
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
    finally:
        driver.quit()


def _save(driver: Any, name: str) -> None:
    """With 128 colours: a page of text needs no more, and is a third of the size."""
    picture = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(ROOT / "docs" / name, optimize=True)


if __name__ == "__main__":
    main()
