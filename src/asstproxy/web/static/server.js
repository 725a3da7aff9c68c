/** Requests to the server. All changes are POST requests with our header. */

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
