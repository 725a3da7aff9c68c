"""Parts of the conversation and the drawings next to it, in a real browser."""

from __future__ import annotations

from typing import Any

from servers import ResponsesServer, Say, Script, Think

from .browser import Browser, Keys

SNAPSHOTS = """
window.shown = [];
const look = () => {
  const texts = id => [...document.querySelectorAll(`#${id} g.to`)].map(g => g.querySelector('text').textContent);
  const now = JSON.stringify([document.querySelector('#map .at')?.dataset.s, document.querySelectorAll('#map .taken').length,
    texts('timeline'), texts('sequence')]);
  if (now !== window.shown.at(-1)) window.shown.push(now);
};
for (const id of ['map', 'timeline', 'sequence'])
  new MutationObserver(look).observe(document.getElementById(id), {childList: true, subtree: true});
return 1;
"""
"""Writes down what each drawing shows, whenever one is drawn anew."""


def test_the_drawings_grow_while_the_answer_comes(tab: Browser, provider: ResponsesServer) -> None:
    """The present state is lit in the map, each state gets its bar, each message its arrow, before the turn is over."""
    tab.driver.execute_script(SNAPSHOTS)
    provider.brain = Script(
        [
            Think("Think first of all.", pace=0.06),
            Say("one two three four five six", pace=0.08),
            Say("seven eight", pace=30),
        ]
    )
    tab.send("count")
    tab.until(lambda: "chunk_received × 7" in tab.one("#sequence").get_attribute("textContent"))
    shown: list[list[Any]] = tab.js("window.shown.map(one => JSON.parse(one))")
    lit = list(dict.fromkeys(state for state, *_ in shown if state))
    assert lit[-1] == "streaming"
    assert len(lit) >= 2
    for column in (1, 2, 3):
        sizes = [one[column] if column == 1 else len(one[column]) for one in shown if one[0]]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[-1]
    chunks = [row for *_, rows in shown for row in rows if row.startswith("chunk_received")]
    assert len(set(chunks)) >= 3  # the arrow counts, ten times a second
    tab.until(lambda: tab.all("#map .at.been .halo, #map .at .halo"))
    assert tab.one("#state-now").text == "streaming"
    assert [row.split()[0] for row in shown[-1][2]][-1] == "streaming"
    tab.click("#send.stop")
    tab.until(lambda: tab.one("#state-now").text == "cancelled")
    assert tab.one("#facts").text.split()[:6] == ["model", "gpt-6-luna", "tokens", "–", "cost", "–"]
    assert tab.all("#map .at.bad[data-s=cancelled]")
    assert "cancelled" in tab.one("#sequence").get_attribute("textContent")


def test_reasoning_is_folded(tab: Browser, provider: ResponsesServer) -> None:
    """One line says how long it took; a click or the Enter key unfolds it, also while the answer comes, and folds it again."""
    provider.brain = Script([Think("First this, then that."), Say("Because "), Say("so. There.", pace=30)])
    tab.send("why?")
    tab.until(lambda: "Because" in tab.log)
    body = "#log .reasoning .said"
    assert tab.one("#log .reasoning summary").text.startswith("Thought for")
    assert not tab.one(body).is_displayed()
    tab.one("#log .reasoning summary").send_keys(Keys.ENTER)
    tab.until(lambda: tab.one(body).is_displayed())
    assert tab.one(body).text == "First this, then that."
    tab.click("#send.stop")
    tab.until(lambda: tab.all(".state.cancelled"))
    assert tab.one(body).is_displayed()  # the end of the turn doesn't fold it
    tab.click("#log .reasoning summary")
    tab.until(lambda: not tab.one(body).is_displayed())
    tab.one("#log .reasoning summary").send_keys(Keys.SPACE)
    tab.until(lambda: tab.one(body).is_displayed())


def test_links_tell_nothing_and_pictures_are_not_loaded(tab: Browser, provider: ResponsesServer) -> None:
    """Links in an answer open elsewhere without a way back or a referrer; a picture of the net is words, and isn't asked for."""
    provider.brain = lambda _: [
        Say(
            "[one](https://example.com/a) and https://example.org/b and [mail](mailto:a@example.com), not [bad](javascript:x)\n\n"
            "![a cat](https://example.net/cat.png) ![dot](data:image/gif;base64,R0lGODlhAQABAAAAACw=)\n\nDone."
        )
    ]
    tab.send("links?")
    tab.until(lambda: tab.all(".state.completed") and "Done." in tab.log and not tab.all(".tail"))
    links = tab.js("[...document.querySelectorAll('#log .md a[href]')].map(a => [a.href, a.rel, a.target])")
    assert [link[0] for link in links] == ["https://example.com/a", "https://example.org/b", "mailto:a@example.com"]
    assert {(rel, target) for _, rel, target in links} == {("noopener noreferrer nofollow", "_blank")}
    assert "[image: a cat https://example.net/cat.png]" in tab.log
    assert not tab.all("#log img")
    # that nothing was asked for elsewhere is asserted at the end of every test of a tab


def test_each_block_has_its_own_direction(tab: Browser, provider: ResponsesServer) -> None:
    """A paragraph in Hebrew is written from the right, and one in English next to it from the left."""
    provider.brain = lambda _: [Say("English.\n\n\u05d0\u05d1\u05d2.\n\n- \u05d3\u05d4\n\nEnglish.")]
    tab.send("hi")
    tab.until_there_are(4, ".md > div:not(.tail)")
    directions = "[...document.querySelectorAll('.md > div')].map(d => getComputedStyle(d).direction)"
    assert tab.js(directions) == ["ltr", "rtl", "rtl", "ltr"]


def test_a_block_is_laid_out_as_soon_as_it_is_whole(tab: Browser, provider: ResponsesServer) -> None:
    """A paragraph ends with its empty line, not when the next one is whole; a list may go on, so it waits."""
    provider.brain = Script([Say("One **block**.\n\nAnd a "), Say("second one", pace=30)])
    tab.send("hi")
    tab.until(lambda: "second" in tab.log and tab.all(".md strong"))
    assert "**" not in tab.log
    assert tab.one(".tail").text == "And a second"
