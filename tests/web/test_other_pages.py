"""What a page of somebody else, in the same browser, can do with ours: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from asstproxy import Store
from servers import ResponsesServer

from .browser import Browser
from .served import Served

ATTACK = """
const [origin, session, done] = arguments;
const sent = {method: 'POST', credentials: 'include', body: '{"text": "hi"}'};
const post = (path, more) => fetch(`${origin}/api${path}`, {...sent, ...more})
  .then(r => `${r.type} ${r.status}`, () => 'refused');
const read = path => fetch(`${origin}${path}`, {credentials: 'include'}).then(r => r.text(), () => 'refused');
Promise.all([
  post('/messages', {mode: 'no-cors'}),
  post('/messages', {headers: {'x-asst': '1', 'content-type': 'application/json'}}),
  post(`/sessions/${session}/delete`, {mode: 'no-cors'}),
  read('/api/sessions'),
  read(`/api/sessions/${session}`),
  new Promise(over => {
    const source = new EventSource(`${origin}/api/sessions/${session}/events`, {withCredentials: true});
    source.onerror = () => { source.close(); over('refused') };
    source.addEventListener('records', e => over(e.data));
  }),
  new Promise(over => {
    const frame = document.createElement('iframe');
    frame.src = `${origin}/#${session}`;
    frame.onload = () => { try { over(frame.contentDocument.body.textContent) } catch { over('refused') } };
    document.body.append(frame);
  }),
]).then(done);
"""


@pytest.fixture
def session(driver: Any, web: Served, provider: ResponsesServer) -> Iterator[str]:
    """A session of a browser that our page has let in: it has the cookie, and sends it to 127.0.0.1, whatever the port."""
    tab = Browser(driver, web.address)
    tab.send("a secret")
    tab.until(lambda: tab.all(".state.completed"))
    (made,) = Store().ids()
    yield made
    assert list(Store().ids()) == [made]
    assert [entry.user for entry in Store().transcript(made).exchanges] == ["a secret"]


def test_a_page_of_another_origin_gets_nothing(
    driver: Any, web: Served, provider: ResponsesServer, session: str
) -> None:
    """From another port of this computer, the nearest that a stranger can be: no message, no deletion, no reading, no frame."""
    driver.get(provider.base_url)
    assert driver.execute_async_script(ATTACK, web.origin, session) == ["refused"] * 7


def test_a_form_of_another_origin_sends_nothing(
    driver: Any, web: Served, provider: ResponsesServer, session: str
) -> None:
    """A form needs no permission to be sent; it has no header of ours, and another origin."""
    driver.get(provider.base_url)
    driver.execute_script(
        "document.body.innerHTML = `<form method=post enctype=text/plain action=${arguments[0]}/api/messages>"
        """<input name='{"text": "hi", "a": "' value='"}'></form>`; document.forms[0].submit()""",
        web.origin,
    )
    tab = Browser.__new__(Browser)
    tab.driver = driver
    tab.until(lambda: driver.current_url == f"{web.origin}/api/messages")
    assert "came from another page" in driver.find_element("tag name", "body").text


def test_a_rebound_name_shows_nothing(driver: Any, web: Served, session: str) -> None:
    """A name that leads here, as the browser itself finds it, also with the token: 400, and no page."""
    for path in ("/", f"/?token={web.token}", "/api/sessions"):
        driver.get(f"http://evil.localhost:{web.port}{path}")
        body = driver.find_element("tag name", "body").text
        assert "error" in body
        assert "secret" not in body
        assert not driver.find_elements("id", "say")
