/** Pure functions: one exchange → SVG or a list. Attributes only, no inline style, so that the Content-Security-Policy holds. */
import { time } from "./fold.js";
import { esc, ms } from "./html.js";
import { actor, doer, kind, LISTENING, SETTLED, STEPS } from "./script.js";

/** @typedef {import("./fold.js").Exchange} Exchange */

/** Where the map has each state. A state of a newer asst gets a place below. @type {Record<string, [number, number]>} */
const AT = {
  new: [112, 14],
  ready: [112, 46],
  started: [112, 92],
  running: [112, 130],
  streaming: [112, 168],
  tool_outputs_submitted: [184, 92],
  tools_executed: [184, 130],
  requires_action: [184, 168],
  awaiting_approval: [184, 206],
  completed: [44, 256],
  incomplete: [132, 256],
  cancelled: [220, 256],
  error: [308, 256],
};
const place = (/** @type {string} */ state) => AT[state] || [308, 206];
/** @param {string} a @param {string} b */
function route(a, b) {
  const [x1, y1] = place(a);
  const [x2, y2] = place(b);
  if (SETTLED.has(b)) {
    const s = Math.sign(x2 - x1);
    return `M${x1},${y1}V226q0,8 ${8 * s},8H${x2 - 8 * s}q${8 * s},0 ${8 * s},8V${y2}`;
  }
  if (x1 === x2 && Math.abs(y1 - y2) > 60) return `M${x1},${y1}C${x1 + 26},${y1 + 10} ${x2 + 26},${y2 - 10} ${x2},${y2}`;
  return x1 === x2 || y1 === y2 ? `M${x1},${y1}L${x2},${y2}` : `M${x1},${y1}C${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2} ${x2},${y2}`;
}
/** The edges that are drawn faintly: one for each way that an exchange usually takes. */
const BASE = [
  ["new", "ready"],
  ["ready", "started"],
  ["started", "running"],
  ["running", "streaming"],
  ["streaming", "requires_action"],
  ["requires_action", "awaiting_approval"],
  ["requires_action", "tools_executed"],
  ["tools_executed", "tool_outputs_submitted"],
  ["tool_outputs_submitted", "running"],
  ["streaming", "completed"],
  ["streaming", "incomplete"],
  ["streaming", "cancelled", "any"],
  ["streaming", "error", "any"],
];

/** The state machine: what was visited, how long, what is now, what may come. @param {Exchange} x */
export function mapSVG(x) {
  /** @type {Record<string, number>} */
  const sum = {};
  /** @type {Record<string, number>} */
  const times = {};
  const now = x.path[x.path.length - 1].state;
  const may = new Set(Object.values(STEPS).filter((s) => s.sources.includes(now) && s.dest !== "cancelled" && s.dest !== "error").map((s) => s.dest));
  for (const p of x.path) {
    sum[p.state] = (sum[p.state] || 0) + p.to - p.from;
    times[p.state] = (times[p.state] || 0) + 1;
  }
  const taken = x.path.slice(1).map((p, i, l) => `<path class="taken${i === l.length - 1 ? " last" : ""}" d="${route(x.path[i].state, p.state)}"/>`);
  const nodes = Object.entries(AT).map(([s, [cx, cy]]) => {
    const end = SETTLED.has(s);
    const at = s === now;
    const often = times[s] > 1 ? ` × ${times[s]}` : "";
    const t = sum[s] !== undefined && !end && s !== "new" ? ms(sum[s]) + often : "";
    const cls = [s in sum ? "been" : "", at ? "at" : "", at && kind(s) === "k-you" ? "ask" : "", at && kind(s) === "k-bad" ? "bad" : "", may.has(s) && !at ? "may" : ""].join(" ");
    const text = end
      ? `<text x="${cx}" y="${cy + 20}" text-anchor="middle">${s}</text>`
      : cx === 112
        ? `<text x="${cx - 11}" y="${cy + 4}" text-anchor="end">${t ? `<tspan class="t">${t}</tspan><tspan dx="5">${s}</tspan>` : s}</text>`
        : `<text x="${cx + 11}" y="${cy + 4}">${s} <tspan class="t" dx="3">${t}</tspan></text>`;
    return `<g class="${cls}" data-s="${s}">${at ? `<circle class="halo" cx="${cx}" cy="${cy}" r="9"/>` : ""}<circle cx="${cx}" cy="${cy}" r="${at ? 5 : 4}"/>${text}</g>`;
  });
  return (
    `<path class="band" d="M-8,72H360a8,8 0 0 1 8,8V104a8,8 0 0 1 -8,8H156a8,8 0 0 0 -8,8V182a8,8 0 0 1 -8,8H-8a8,8 0 0 1 -8,-8V80a8,8 0 0 1 8,-8z"/>` +
    `<text class="cap" x="360" y="66" text-anchor="end">the assistant’s turn to speak</text>` +
    BASE.map(([a, b, c]) => `<path class="edge ${c || ""}" d="${route(a, b)}"/>`).join("") +
    taken.join("") +
    nodes.join("")
  );
}

/** The states as bars, `w` wide. @param {Exchange} x */
export const bars = (x, w = 100, span = x.end - x.start, zero = x.start) =>
  x.path
    .map((p) => {
      const width = Math.max(0.6, ((p.to - p.from) / Math.max(1, span)) * w);
      return `<rect class="${kind(p.state)}" x="${(((p.from - zero) / Math.max(1, span)) * w).toFixed(2)}" width="${width.toFixed(2)}" height="10"/>`;
    })
    .join("");

/**
 * Time in each state. What is short next to a long wait would vanish, so the axis is broken: a state gets the square root of its time.
 * @param {Exchange} x @returns {[number, string]}
 */
export function timelineSVG(x) {
  const stops = x.path.filter((p) => !SETTLED.has(p.state));
  const longest = Math.max(1, ...stops.map((p) => p.to - p.from));
  const total = Math.max(1, x.end - x.start);
  const broken = total > 5000 && stops.some((p) => p.to - p.from > 0 && p.to - p.from < total / 100) && longest > total / 2;
  const share = (/** @type {number} */ d) => (broken ? Math.sqrt(Math.max(0, d)) : Math.max(0, d));
  const whole = Math.max(1, stops.reduce((s, p) => s + share(p.to - p.from), 0));
  /** @type {string[]} */
  const rows = [];
  let left = 150;
  let y = 0;
  const row = (/** @type {string} */ k, /** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ w, /** @type {number} */ d, /** @type {string} */ cls, /** @type {string} */ s, /** @type {number} */ seq) => {
    rows.push(
      `<g data-s="${esc(s)}" data-seq="${seq}" class="to"><text class="${cls}" x="0" y="${y + 30}">${esc(name)}</text>` +
        `<rect class="${k}" x="${from.toFixed(1)}" y="${y + 22}" width="${Math.max(2, w).toFixed(1)}" height="9" rx="2"/>` +
        `<text x="360" y="${y + 30}" text-anchor="end">${ms(d)}</text></g>`,
    );
    y += 18;
  };
  for (const p of stops) {
    const w = (share(p.to - p.from) / whole) * 156;
    const seq = x.records.find((r) => time(r) >= p.from)?.seq || 0;
    row(kind(p.state), p.state, left, w, p.to - p.from, "name", p.state, seq);
    if (p.state === "requires_action")
      for (const c of x.parts)
        if (c.part === "call" && c.began && c.began >= p.from && c.began <= p.to) {
          const d = (c.ended || x.end) - c.began;
          const span = Math.max(1, p.to - p.from);
          row("k-tool", `↳ ${c.name}`, left + ((c.began - p.from) / span) * w, (d / span) * w, d, "name sub", "requires_action", c.seq);
        }
    left += w;
  }
  const h = y + 20;
  const scale = broken ? `<text x="150" y="8">the longer, the more it is shortened</text>` : `<text x="150" y="8">0</text><text x="306" y="8" text-anchor="end">${ms(total)}</text>`;
  return [h, `<line class="tick" x1="150" x2="150" y1="14" y2="${h}"/><line class="tick" x1="306" x2="306" y1="14" y2="${h}"/>${scale}${rows.join("")}`];
}

/** Where each lifeline stands. */
const LIFE = { U: 92, M: 208, A: 324 };
/**
 * A message from one to the other, n times in a row; or what a tool or a person did meanwhile.
 * @typedef {{seq: number, type: string, n: number, t?: number, a: keyof typeof LIFE, b: keyof typeof LIFE, do?: boolean}} Arrow
 * @typedef {{seq: number, bar: string, text: string}} Bar
 */
/** The messages of an exchange: who sent what to whom. @param {Exchange} x @returns {[number, string]} */
export function sequenceSVG(x) {
  /** @type {(Arrow | Bar)[]} */
  const rows = [];
  for (const r of x.records) {
    const s = STEPS[r.type];
    if (r.type === "tool_finished") {
      const name = x.parts.findLast((p) => p.part === "call" && p.call_id === r.result.call_id && p.seq <= r.seq);
      rows.push({ bar: "k-tool", seq: r.seq, text: `${name?.part === "call" ? name.name : "tool"} ${r.seconds ? ms(r.seconds * 1000) : "not run"}` });
    }
    if (r.type === "approval_given") rows.push({ bar: "k-you", seq: r.seq, text: r.decisions.map((d) => (d.approved ? "yes" : "no")).join(", ") });
    if (!s) continue;
    const last = rows[rows.length - 1];
    if (last && "type" in last && last.type === r.type) {
      last.n += 1;
      continue;
    }
    rows.push({ type: r.type, n: 1, t: time(r), seq: r.seq, a: actor(r.type), b: "M" });
    if (s.do) rows.push({ type: s.do, n: 1, seq: r.seq, a: "M", b: doer(s.do), do: true });
  }
  const h = rows.length * 23 + 40;
  const drawn = rows.map((r, i) => {
    const y = i * 23 + 44;
    if ("bar" in r)
      return (
        `<g data-seq="${r.seq}" class="to"><rect class="${r.bar}" x="${LIFE.U - 2.5}" y="${y - 17}" width="5" height="23" rx="2"/>` +
        `<text class="note" x="${LIFE.U + 10}" y="${y - 3}">${esc(r.text)}</text></g>`
      );
    const x1 = LIFE[r.a];
    const x2 = LIFE[r.b];
    const d = Math.sign(x2 - x1);
    return (
      `<g data-seq="${r.seq}" class="to${!x.settled && i >= rows.length - 1 ? " new" : ""}">` +
      `<path class="arrow${r.do ? " do" : ""}" d="M${x1},${y}H${x2 - 5 * d}"/><path class="head" d="M${x2},${y}l${-6 * d},-3.5v7z"/>` +
      `<text class="msg" x="${(x1 + x2) / 2}" y="${y - 5}" text-anchor="middle">${esc(r.type)}${r.n > 1 ? ` × ${r.n}` : ""}</text>` +
      `${r.t === undefined ? "" : `<text x="0" y="${y + 4}">${ms(r.t - x.start)}</text>`}</g>`
    );
  });
  const lives = /** @type {[("U"|"M"|"A"), string][]} */ ([
    ["U", "You · tools"],
    ["M", "Mediator"],
    ["A", "Assistant"],
  ]).map(([k, n]) => `<line class="life" x1="${LIFE[k]}" x2="${LIFE[k]}" y1="18" y2="${h}"/><text class="actor" x="${LIFE[k]}" y="10" text-anchor="middle">${n}</text>`);
  return [h, lives.join("") + drawn.join("")];
}

/** The path as a list of stops; of too many for `room` pixels, the first are mute. @param {Exchange} x @param {number} room */
export function pathHTML(x, room) {
  let used = 0;
  let fits = 0;
  for (const p of [...x.path].reverse()) {
    used += Math.max(p.state.length * 6 + 14, 60);
    if (used > room) break;
    fits += 1;
  }
  const first = x.path.length - Math.max(1, fits);
  return x.path
    .map((p, i, l) => {
      const at = i === l.length - 1;
      const ask = p.state === "awaiting_approval";
      const cls = [
        i < first ? "mute" : "",
        ask ? "you" : "",
        at && !x.settled ? (ask ? "ask" : "lit") : "",
        at && kind(p.state) === "k-bad" ? "end-bad" : "",
        LISTENING.has(p.state) ? "listening" : "",
      ].join(" ");
      return `<li class="${cls}">${esc(p.state.replaceAll("_", " "))}<span>${SETTLED.has(p.state) ? "" : ms(p.to - p.from)}</span></li>`;
    })
    .join("");
}
