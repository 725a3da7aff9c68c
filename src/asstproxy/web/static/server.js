/** What the page asks of the server: all changes are POST requests with our header; a stream of records for each session shown. */
import { SETTLED } from "./script.js";

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
/** @template T @param {string} path @returns {Promise<T>} */
export async function get(path) {
  return answer(fetch(`api${path}`));
}
/** @param {Promise<Response>} request */
async function answer(request) {
  const response = await request.catch(() => undefined);
  if (!response) throw new Refused("asst web doesn't answer.", "If it was ended, start it again on the same port.", 0);
  const words = `The server answered ${response.status}.`;
  const found = await response.json().catch(() => ({ error: words }));
  if (!response.ok) throw new Refused(found.error || words, found.hint || "", response.status);
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
 * @typedef {{call_id: string, name: string, about: string, source: string, arguments: string, may_always: boolean}} Asked a call that waits for a yes
 * @typedef {{live?: boolean, busy?: boolean, asked?: Asked[], holder?: string, fault?: string}} Status
 * @typedef {{id: string, feed: string, status: Status, blocks: Block[], records: import("./fold.js").Rec[]}} Loaded
 * @typedef {{answer: string, arguments?: string}} Answer of the person, to the question whether a call may run
 * @typedef {{changed: () => void, gone: () => void, failed: (error: unknown) => void}} Watcher `gone`: the session was deleted
 */

const SOON = 500; // ms until the next attempt, which grows to
const LATER = 5000;

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
  /** Answers that wait for those to the other calls. @type {Record<string, Answer>} */
  chosen = {};
  /** The call whose arguments are edited. */
  editing = "";

  #feed = "";
  /** @type {EventSource | undefined} */
  #source = undefined;
  #closed = false;
  #wait = SOON;
  #watcher;
  #looked = () => (document.hidden ? this.#rest() : this.#open());

  /** @param {string} id @param {Watcher} watcher */
  constructor(id, watcher) {
    this.id = id;
    this.#watcher = watcher;
    document.addEventListener("visibilitychange", this.#looked);
  }
  /** The number of the last record. */
  get seq() {
    return this.records[this.records.length - 1]?.seq || 0;
  }
  /** Load everything, then follow. What a server that was killed left unfinished is taken up. */
  async load() {
    /** @type {Loaded} */
    const found = await get(`/sessions/${this.id}`);
    if (this.#closed) return;
    this.id = found.id;
    this.records = found.records;
    this.blocks = new Blocks();
    this.blocks.add(found.blocks);
    this.status = found.status;
    this.#feed = found.feed;
    this.#watcher.changed();
    this.#open();
    const state = this.records[this.records.length - 1]?.state || "new";
    if (!this.status.live && !this.status.holder && state !== "new" && !SETTLED.has(state)) post(`/sessions/${this.id}/resume`).catch(this.#watcher.failed);
  }
  close() {
    this.#closed = true;
    this.#rest();
    document.removeEventListener("visibilitychange", this.#looked);
  }
  /** A tab that nobody looks at holds no connection: browsers allow six to a server. */
  #rest() {
    this.#source?.close();
    this.#source = undefined;
  }
  #open() {
    if (this.#closed || this.#source || !this.#feed || document.hidden) return;
    const source = new EventSource(`api/sessions/${this.id}/events?after=${this.seq}&feed=${this.#feed}`);
    this.#source = source;
    source.addEventListener("open", () => {
      this.#wait = SOON;
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
    });
    source.addEventListener("reload", () => {
      this.#rest();
      this.#again();
    });
    source.addEventListener("error", () => {
      this.#connect(false);
      this.#rest();
      this.#again();
    });
  }
  #again() {
    if (this.#closed) return;
    setTimeout(() => this.load().catch((error) => (error instanceof Refused && error.status === 404 ? this.#watcher.gone() : this.#again())), this.#wait);
    this.#wait = Math.min(this.#wait * 1.5, LATER);
  }
  /** @param {boolean} connected */
  #connect(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.#watcher.changed();
  }
}
