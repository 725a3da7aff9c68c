/**
 * What the page asks of the server. All changes are POST requests with our header; a stream of records for each session shown.
 *
 * @typedef {{name: string, provider: string, model: string, missing: string | null, hint: string}} Profile missing: "" for nothing, null: not known yet
 * @typedef {{call_id: string, name: string, about: string, source: string, arguments: string, may_always: boolean}} Asked a call that waits for a yes
 * @typedef {{live?: boolean, busy?: boolean, asked?: Asked[], holder?: string, fault?: string}} Status
 */
import { Blocks } from "./fold.js";

/** @param {string} path @param {any} [body] @returns {Promise<any>} */
export async function post(path, body) {
  return answer(await fetch(`api${path}`, { method: "POST", headers: { "content-type": "application/json", "x-asst": "1" }, body: JSON.stringify(body || {}) }));
}
/** @param {string} path @returns {Promise<any>} */
export async function get(path) {
  return answer(await fetch(`api${path}`));
}
/** @param {Response} response */
async function answer(response) {
  const found = await response.json().catch(() => ({ error: `The server answered ${response.status}.` }));
  if (!response.ok) throw Object.assign(new Error(found.error || `The server answered ${response.status}.`), { hint: found.hint || "", status: response.status });
  return found;
}

/** A session that is shown: its records, the finished blocks of its answers, its status; kept up to date. */
export class Session {
  /** @param {string} id @param {() => void} changed called when there is something new @param {() => void} gone called when it was deleted */
  constructor(id, changed, gone) {
    this.id = id;
    this.gone = gone;
    this.changed = changed;
    /** @type {import("./fold.js").Rec[]} */
    this.records = [];
    this.blocks = new Blocks();
    /** @type {Status} */
    this.status = {};
    this.connected = true;
    this.feed = "";
    /** @type {EventSource | undefined} */
    this.source = undefined;
    this.closed = false;
    this.wait = 500;
    this.hidden = () => (document.hidden ? this.rest() : this.open());
    document.addEventListener("visibilitychange", this.hidden);
  }
  get seq() {
    return this.records.length ? this.records[this.records.length - 1].seq : 0;
  }
  /** Load everything, then follow. */
  async load() {
    const found = await get(`/sessions/${this.id}`);
    if (this.closed) return;
    this.id = found.id;
    this.records = found.records;
    this.blocks = new Blocks();
    this.blocks.add(found.blocks);
    this.status = found.status;
    this.feed = found.feed;
    this.changed();
    this.open();
  }
  /** A tab that nobody looks at holds no connection: browsers allow six to a server. */
  rest() {
    this.source?.close();
    this.source = undefined;
  }
  open() {
    if (this.closed || this.source || !this.feed || document.hidden) return;
    const source = new EventSource(`api/sessions/${this.id}/events?after=${this.seq}&feed=${this.feed}`);
    this.source = source;
    source.addEventListener("open", () => {
      this.wait = 500;
      this.set(true);
    });
    source.addEventListener("records", (e) => {
      const last = this.seq;
      for (const r of JSON.parse(e.data)) if (r.seq > last) this.records.push(r);
      this.changed();
    });
    source.addEventListener("blocks", (e) => {
      this.blocks.add(JSON.parse(e.data));
      this.changed();
    });
    source.addEventListener("status", (e) => {
      this.status = JSON.parse(e.data);
      this.changed();
    });
    source.addEventListener("reload", () => {
      this.rest();
      this.again();
    });
    source.addEventListener("error", () => {
      this.set(false);
      this.rest();
      this.again();
    });
  }
  again() {
    if (this.closed) return;
    setTimeout(() => this.load().catch((error) => (error.status === 404 ? this.gone() : this.again())), this.wait);
    this.wait = Math.min(this.wait * 1.5, 5000);
  }
  /** @param {boolean} connected */
  set(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.changed();
  }
  close() {
    this.closed = true;
    this.rest();
    document.removeEventListener("visibilitychange", this.hidden);
  }
}
