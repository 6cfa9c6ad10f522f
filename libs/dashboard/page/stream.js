// SPDX-License-Identifier: Apache-2.0
// Reads a stream of server-sent events. The browser's own EventSource cannot send the token along.

/** Takes text in any pieces and calls on_event(type, data) for each whole event. */
export class event_parser {
  #rest = '';
  #type = '';
  #data = [];
  #on_event;

  constructor(on_event) {
    this.#on_event = on_event;
  }

  push(text) {
    const lines = text.split('\n');
    lines[0] = this.#rest + lines[0];  // looked through once, however many pieces a long line has
    this.#rest = lines.pop();
    for (const line of lines) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #take(line) {
    if (line === '') {
      if (this.#data.length > 0) this.#on_event(this.#type || 'message', this.#data.join('\n'));
      this.#type = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;  // a comment
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
  }
}

/** Reads a body until it ends, or until on_event throws: then the connection ends too. */
export async function read_events(body, on_event) {
  const parser = new event_parser(on_event);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});  // it has ended already, or failed
  }
}
