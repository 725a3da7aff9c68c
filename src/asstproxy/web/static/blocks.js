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
