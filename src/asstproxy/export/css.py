"""The style of the exported page: one column, dark or light like the reader's system."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{color-scheme:light dark;--fg:#1d2129;--dim:#68707d;--bg:#f6f7f9;--card:#fff;--line:#dfe3e8;--user:#e8f1fd;
--waiting:#c3c9d2;--streaming:#1f9bcf;--tools:#a24bcf;--approval:#e0a100;--good:#1a8a4a;--bad:#c9342c;--link:#1763b6}
@media(prefers-color-scheme:dark){:root{--fg:#e4e7ec;--dim:#98a1ae;--bg:#14171c;--card:#1d2128;--line:#333a45;--user:#1e2f47;
--waiting:#525b68;--streaming:#38b4e6;--tools:#bd74e3;--approval:#e8b52c;--good:#4cc07c;--bad:#f0736b;--link:#7fb8f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:58rem;margin:0 auto;padding:2rem 1rem}
header{margin-bottom:2rem}header h1{font-size:1.7rem;margin:0 0 .3rem;overflow-wrap:anywhere}
header p,footer,.legend{color:var(--dim);margin:.1rem 0;font-size:.9rem}footer{text-align:center;padding:1rem}
section{margin-bottom:2.5rem}
.user>h2,.assistant>h2{font-size:.8rem;letter-spacing:.04em;color:var(--dim);margin:0 0 .4rem;font-weight:600}
.user,.assistant{border:1px solid var(--line);border-radius:12px;padding:.9rem 1.1rem;background:var(--card);margin-bottom:.7rem}
.user{background:var(--user);margin-left:12%}.user pre{font:inherit;background:none;padding:0;border:0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg);border:1px solid var(--line);border-radius:8px;
padding:.6rem .8rem;margin:.5rem 0;font-size:.88rem}
code{font-family:ui-monospace,"Cascadia Mono",Menlo,Consolas,monospace;font-size:.9em;overflow-wrap:anywhere}
.md>:first-child{margin-top:0}.md>:last-child{margin-bottom:0}.md{overflow-wrap:anywhere;overflow-x:auto}
.md h1{font-size:1.45rem}.md h2{font-size:1.25rem}.md h3{font-size:1.1rem}.md h4,.md h5,.md h6{font-size:1rem}
.md table{border-collapse:collapse}.md td,.md th{border:1px solid var(--line);padding:.25rem .6rem}
.md blockquote{border-left:3px solid var(--line);margin-left:0;padding-left:1rem;color:var(--dim)}
figure{margin:.6rem 0 0}figure img{max-width:100%;max-height:30rem;border-radius:8px;display:block}
figcaption{color:var(--dim);font-size:.85rem}
a{color:var(--link)}a.dead{color:inherit}
details>summary{cursor:pointer;color:var(--dim);font-size:.9rem}details{margin:.3rem 0}
.tool summary{color:var(--tools)}.tool.failed summary{color:var(--bad)}
.state{font-size:.85rem;margin:.7rem 0 0;color:var(--dim)}.state.completed{color:var(--good)}
.state.error{color:var(--bad)}.state.incomplete,.state.cancelled{color:var(--approval)}
svg{width:100%;height:auto;display:block;font-family:inherit}svg text{fill:var(--fg);font-size:12px}
svg text.name{text-anchor:end;fill:var(--dim)}svg text.time,svg text.note{fill:var(--dim)}
svg text.label,svg text.actor{text-anchor:middle}svg text.label{font-size:11px}
rect.waiting{fill:var(--waiting)}rect.streaming{fill:var(--streaming)}rect.tools{fill:var(--tools)}rect.approval{fill:var(--approval)}
rect.actor{fill:var(--card);stroke:var(--line)}line.lane{stroke:var(--line)}.head{fill:var(--dim)}
.message line{stroke:var(--fg);stroke-width:1.3}.order line{stroke:var(--dim);stroke-dasharray:5 4}
.wire line{stroke:var(--streaming);stroke-width:1.3}.note circle{fill:var(--tools)}
.legend span{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin:0 .3rem 0 .8rem;vertical-align:-1px}
.legend .waiting{background:var(--waiting)}.legend .streaming{background:var(--streaming)}
.legend .tools{background:var(--tools)}.legend .approval{background:var(--approval)}
.right{text-align:right}.center{text-align:center}
@media print{.drawing:not([open]){display:none}}
"""
