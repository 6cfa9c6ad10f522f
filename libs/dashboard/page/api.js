// SPDX-License-Identifier: Apache-2.0
// Asks the server. Errors carry what the server said, word for word.
import { token } from './token.js';

const patience = 10_000;

export class api_error extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function headers(more = {}) {
  return token() === '' ? more : { ...more, Authorization: `Bearer ${token()}` };
}

/** The answer, or an api_error; `status` 0 means that nobody answered. */
export async function ask(path, options = {}) {
  let answer;
  try {
    // What a proxy in front goes by (cookies, certificates) goes along; the dashboard itself goes by the token alone.
    answer = await fetch(path, {
      cache: 'no-store', credentials: 'same-origin', redirect: 'error', ...options, headers: headers(options.headers),
    });
  } catch (error) {
    if (options.signal?.aborted && error.name === 'AbortError') throw error;
    throw new api_error(0, 'no_answer', 'The server does not answer.');
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => null);
  throw new api_error(answer.status, told?.error?.code ?? 'unknown',
    told?.error?.message ?? `The server answered with status ${answer.status}.`);
}

async function json(path, options = {}) {
  const answer = await ask(path, { signal: AbortSignal.timeout(patience), ...options });
  try {
    return await answer.json();
  } catch {
    throw new api_error(0, 'no_answer', 'The answer of the server ended too soon.');
  }
}

function address(name, instance, action = '') {
  const query = instance === '' ? '' : `?instance=${encodeURIComponent(instance)}`;
  return `/api/v1/circuits/${encodeURIComponent(name)}${action}${query}`;
}

export const get_session = () => json('/api/v1/session');
export const get_audit = () => json('/api/v1/audit');
export const get_circuit = (name, instance) => json(address(name, instance));

/** action: `trip`, `force-open`, `disable`, `release`, `reset`; what: {owner, reason, ttl}. */
export function act(name, instance, action, what) {
  return json(address(name, instance, `/${action}`), {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(what),
  });
}
