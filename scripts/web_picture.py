"""Takes the pictures of `asst web` for the docs: `python scripts/web_picture.py`, with Debian's chromium and chromium-driver.

The session is real: `asst web` talks to the local protocol server of the tests, and a tool waits for a click.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from servers import Call, ResponsesServer, Say, Script, Think  # noqa: E402 - of the tests

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
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1360,987", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.get(address)
        _until(lambda: driver.find_element(By.CSS_SELECTOR, "#pick b").text == "work")
        question = "Last night's export has 41 rows fewer than `orders`. Which ones are missing, and why?"
        driver.find_element(By.ID, "say").send_keys(question, Keys.ENTER)
        _until(lambda: driver.find_element(By.CSS_SELECTOR, "[data-decide=yes]"))
        time.sleep(1.2)  # a person reads it
        driver.save_screenshot(str(ROOT / "docs" / "web-approval.png"))
        driver.find_element(By.CSS_SELECTOR, "[data-decide=yes]").click()
        _until(lambda: driver.find_elements(By.CSS_SELECTOR, ".state.completed"))
        _until(lambda: driver.find_elements(By.CSS_SELECTOR, ".md table"))
        time.sleep(0.8)
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        )
        time.sleep(0.4)
        driver.save_screenshot(str(ROOT / "docs" / "web.png"))
    finally:
        driver.quit()


def _until(so: Callable[[], Any], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            if so():
                return
        except Exception as error:
            if time.monotonic() > deadline:
                raise TimeoutError from error
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


if __name__ == "__main__":
    main()
