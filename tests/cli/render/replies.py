"""Answers as models write them, for tests of Markdown streams."""

from __future__ import annotations

__all__ = ["REPLIES"]

_CODE = "\n".join(f"def function_{n}(x: int) -> str:\n    return f'{{x}} {n}'  # {n}\n" for n in range(13))

REPLIES = {
    "words": "Just a few words.",
    "paragraphs": "The first paragraph\nwith a soft break.\n\nThe second one  \nwith a hard break, and **bold**, *italic*, "
    "~~struck~~ and `code`.\n\n\n\nThe third, after several empty lines, " + "which goes on and on " * 12 + ".",
    "headings": "# One\n\n## Two\ntext\n### Three\n\nSetext\n======\n\nSetext two\n---\n\n#\n\n# \n\ntext\n",
    "bullets": "A list:\n\n- one\n- two\n  more of two\n- three\n\nand after",
    "loose bullets": "- one\n\n  a paragraph of one\n\n- two\n\n      code of two\n\n- three\n",
    "nested lists": "1. one\n   - a\n     - deep\n   - b\n2. two\n   ```sh\n   ls -la\n   ```\n3. three\n\n   para\n\nend",
    "numbers": "\n".join(f"{n}. item number {n}" for n in range(1, 120)) + "\n\nThe end.",
    "numbers from seven": "7) seven\n8) eight\n\nText.\n\n1. again\n1. one\n1. more\n",
    "lists that meet": "- a\n- b\n* c\n* d\n+ e\n1. f\n2. g\n1) h\n",
    "list and table": "- x\n- a | b\n-|-\n- c\n\n| a | b |\n|---|---|\n| 1 | 2 |\n- d\n- e\n",
    "long code": f"Here:\n\n```python\n{_CODE}\n```\n\nDone.",
    "code with gaps": "```\n\n\nfirst\n" + "\n" * 40 + "second\n\n\n```\nafter",
    "open code": f"```python\n{_CODE}",
    "empty code": "```\n```\n\n~~~ python\n~~~\n\ntext",
    "indented fence": "   ```js\n     let a = 1;\n  let b;\n   ```\n\n    indented code\n\n    more\n\ntext",
    "fence in fence": "````md\n```python\nx = 1\n```\n````\n\ntext\n",
    "quotes": "> a quote\nlazy line\n>\n> > nested\n> - list\n> - in quote\n\n> another\n",
    "table": "| Name | Price | Change |\n|:-----|------:|:------:|\n| AAPL | 187.25 | +1 % |\n| MSFT \\| X | 4 |\n\ntext\n",
    "rules": "one\n\n---\n\n***\ntwo\n\n- - -\n# three\n---\n\n#\nfour",
    "links": 'See [the docs](https://example.org/a?b=c "title"), <https://auto.org>, <me@example.org>, ![a *chart*](c.png), '
    "[![badge](b.svg)](https://ci.org), [**bold** link](http://x.org) and [nothing]().",
    "references": "[one]: https://one.org\n\nA [one], then [two][2] which is not known.\n\n[2]: <https://two.org>\n\n"
    "Now [two][2] is, and so is [one].\n",
    "html": "<details>\n<summary>More</summary>\n\nHidden <b>text</b> &amp; &lt;entities&gt;.\n\n</details>\n\n<think>hm</think>\n",
    "wide characters": "# 標題\n\n"
    + "漢字とかな、" * 30
    + "\n\n- 👩‍👩‍👧 family\n- ❤️ heart\n\n| 名 | 値 |\n|---|---|\n| あ | い |\n",
    "windows line ends": "# One\r\n\r\n- a\r\n- b\r\n\r\n```\r\ncode\r\n```\r\n\r\ntext\r\n",
    "hostile": "a\x1b]0;title\x07b \x1b[31mred\x1b[0m &#27;[2J &#x202e;over\n\n```\n\x1b[2Jcode\x9b1m\n```\n",
}
