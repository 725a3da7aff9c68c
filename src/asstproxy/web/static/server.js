/** What the page asks of the server: all changes are POST requests with our header; a stream of records for each session shown. */
import { SETTLED } from "./script.js";

const LONGEST = 30_000; // ms within which what is read is answered

/** An answer of the server that isn't what was asked for. */
export class Refused extends Error {
  /** @param {string} message @param {string} hint what to do @param {number} status of HTTP */
  constructor(message, hint, status) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}
/** @template T @param {string} path @param {object} [body] @returns {Promise<T>} */
export async function post(path, body = {}) {
  return answer(fetch(`api${path}`, { method: "POST", headers: { "content-type": "application/json", "x-asst": "1" }, body: JSON.stringify(body) }));
}
/** `within`: ms after which there is no answer. @template T @param {string} path @param {number} [within] @returns {Promise<T>} */
export async function get(path, within = LONGEST) {
  return answer(fetch(`api${path}`, { signal: AbortSignal.timeout(within) }));
}
/** @param {Promise<Response>} request */
async function answer(request) {
  const response = await request.catch(() => undefined);
  const found = await response?.json().catch(() => undefined);
  if (!response || (response.ok && found === undefined)) throw new Refused("asst web doesn't answer.", "If it was ended, start it again on the same port.", 0);
  if (!response.ok) throw new Refused(found?.error || `The server answered ${response.status}.`, found?.hint || "", response.status);
  return found;
}

/**
 * The finished blocks of the answers, as HTML of the server, by exchange and part.
 * @typedef {{exchange: number, part: number, index: number, end: number, html: string}} Block `end` counts the text of its part up to here
 */

export class Blocks {
  /** @type {Map<string, Block[]>} */
  #all = new Map();

  /** @param {Block[]} blocks */
  add(blocks) {
    for (const b of blocks) {
      const key = `${b.exchange}.${b.part}`;
      const list = this.#all.get(key) || [];
      list[b.index] = b;
      this.#all.set(key, list);
    }
  }
  /** What of a text is finished, and where the rest begins. @param {number} exchange @param {number} part @param {number} length */
  upTo(exchange, part, length) {
    const shown = [];
    let end = 0;
    for (const b of this.#all.get(`${exchange}.${part}`) || []) {
      if (!b || b.end > length) break;
      shown.push(b.html);
      end = b.end;
    }
    return { shown, end };
  }
}

/**
 * @typedef {{id: string, call_id: string, name: string, about: string, source: string, arguments: string, may_always: boolean}} Asked a call that waits for a yes; the `id` names this question only
 * @typedef {{live?: boolean, busy?: boolean, asked?: Asked[], holder?: string, fault?: string}} Status
 * @typedef {{id: string, feed: string, beat: number, status: Status, blocks: Block[], records: import("./fold.js").Rec[]}} Loaded `beat`: seconds between signs of life
 * @typedef {{answer: string, arguments?: string}} Answer of the person, to the question whether a call may run
 * @typedef {{changed: () => void, gone: () => void, failed: (error: unknown) => void}} Watcher `gone`: the session was deleted
 */

const SOON = 500; // ms until the next attempt, which grows to
const LATER = 5000;
const BEAT = 15_000; // ms between signs of life of the server, unless it says otherwise
const MISSED = 2.5; // beats without a sign of life: the connection is dead
const LOOK = 1000; // ms between two looks at the clock

export class Session {
  /** @type {import("./fold.js").Rec[]} */
  records = [];
  blocks = new Blocks();
  /** @type {Status} */
  status = {};
  connected = true;
  /** What each exchange cost, in words. @type {string[]} */
  costs = [];
  /** For which state of the session `costs` were asked for. */
  costed = "";
  /** Answers that wait for those to the other calls, by the `id` of the question. @type {Record<string, Answer>} */
  chosen = {};
  /** The `id` of the question in which arguments are edited. */
  editing = "";

  #feed = "";
  #beat = BEAT;
  /** @type {EventSource | undefined} */
  #source = undefined;
  #closed = false;
  #wait = SOON;
  /** ms that an attempt has: little at first, since the connection that the browser takes for it may be dead, too. */
  #patience = BEAT / 5;
  #attempt = 0;
  #next = 0;
  #look = 0;
  /** When the last sign of life came, by the clock that goes on while the computer sleeps. */
  #sign = 0;
  #watcher;
  #shown = () => (document.hidden ? this.#rest() : this.#open());
  #online = () => document.hidden || this.retry();

  /** @param {string} id @param {Watcher} watcher */
  constructor(id, watcher) {
    this.id = id;
    this.#watcher = watcher;
    document.addEventListener("visibilitychange", this.#shown);
    addEventListener("online", this.#online);
  }
  /** The number of the last record. */
  get seq() {
    return this.records[this.records.length - 1]?.seq || 0;
  }
  /** Load everything, then follow. What a server that was killed left unfinished is taken up. @param {number} [within] ms */
  async load(within) {
    const attempt = ++this.#attempt;
    /** @type {Loaded} */
    const found = await get(`/sessions/${this.id}`, within);
    if (this.#closed || attempt !== this.#attempt) return;
    this.id = found.id;
    this.records = found.records;
    this.blocks = new Blocks();
    this.blocks.add(found.blocks);
    this.status = found.status;
    this.#feed = found.feed;
    this.#beat = found.beat * 1000;
    this.#watcher.changed();
    this.#open();
    this.#takeUp();
  }
  close() {
    this.#closed = true;
    clearTimeout(this.#next);
    this.#rest();
    document.removeEventListener("visibilitychange", this.#shown);
    removeEventListener("online", this.#online);
  }
  /** Load anew, now, and again until it works. */
  async retry() {
    clearTimeout(this.#next);
    this.#rest();
    const attempt = this.#attempt + 1;
    try {
      await this.load(this.#patience);
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof Refused && error.status === 404) this.#watcher.gone();
      else if (attempt === this.#attempt) this.#lose();
    }
  }
  /** The process that held the exchange has ended in the midst of it. */
  #takeUp() {
    const state = this.records[this.records.length - 1]?.state || "new";
    if (!this.status.live && !this.status.holder && state !== "new" && !SETTLED.has(state)) post(`/sessions/${this.id}/resume`).catch(this.#watcher.failed);
  }
  /** A tab that nobody looks at holds no connection: browsers allow six to a server. */
  #rest() {
    clearInterval(this.#look);
    this.#source?.close();
    this.#source = undefined;
  }
  #open() {
    if (this.#closed || this.#source || !this.#feed || document.hidden) return;
    const source = new EventSource(`api/sessions/${this.id}/events?after=${this.seq}&feed=${this.#feed}`);
    this.#source = source;
    this.#sign = Date.now();
    this.#look = window.setInterval(() => this.#listen(), Math.min(LOOK, this.#beat));
    for (const event of ["open", "alive", "records", "status"])
      source.addEventListener(event, () => {
        this.#sign = Date.now();
      });
    source.addEventListener("open", () => {
      this.#wait = SOON;
      this.#patience = this.#beat / 5;
      this.#connect(true);
    });
    source.addEventListener("records", (e) => {
      const last = this.seq;
      for (const r of JSON.parse(e.data)) if (r.seq > last) this.records.push(r);
      this.#watcher.changed();
    });
    source.addEventListener("blocks", (e) => {
      this.blocks.add(JSON.parse(e.data));
      this.#watcher.changed();
    });
    source.addEventListener("status", (e) => {
      this.status = JSON.parse(e.data);
      this.#watcher.changed();
      this.#takeUp();
    });
    source.addEventListener("reload", () => {
      this.#rest();
      this.#later();
    });
    source.addEventListener("error", () => this.#lose());
  }
  /** A connection may be dead without an error: the computer slept, or something on the way has forgotten it. */
  #listen() {
    const isOpen = this.#source?.readyState === EventSource.OPEN;
    if (Date.now() - this.#sign <= (isOpen ? this.#beat * MISSED : this.#patience)) return;
    this.#connect(false);
    this.retry();
  }
  #lose() {
    this.#connect(false);
    this.#rest();
    this.#later();
  }
  #later() {
    clearTimeout(this.#next);
    this.#next = window.setTimeout(() => this.retry(), this.#wait);
    this.#wait = Math.min(this.#wait * 1.5, LATER);
    this.#patience = Math.min(this.#patience * 2, LONGEST);
  }
  /** @param {boolean} connected */
  #connect(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.#watcher.changed();
  }
}
