// SPDX-License-Identifier: Apache-2.0
// The real service and the upstream that it calls.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

export const token = 'a-token-for-the-tests-of-the-page';

/** What the service depends on; kill() closes its port with every connection, revive() opens the same port again. */
export class upstream {
  #server = null;
  port = 0;

  async revive() {
    if (this.#server !== null) return;
    this.#server = createServer((request, answer) => answer.end('here'));
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
  }

  async kill() {
    if (this.#server === null) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    this.#server = null;
  }
}

/** A process of switchgear_page_service. */
export class service {
  #process;
  #lines;

  static async start(up, ...options) {
    const made = new service();
    const words = ['--upstream', String(up.port), ...options];
    made.#process = spawn(process.env.PAGE_SERVICE, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    made.#lines = createInterface({ input: made.#process.stdout })[Symbol.asyncIterator]();
    const [word, port] = (await made.#line()).split(' ');
    if (word !== 'port') throw new Error(`the service begins with "${word}", not with its port`);
    made.port = Number(port);
    made.url = `http://127.0.0.1:${port}/`;
    return made;
  }

  async #line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the service has ended');
    return value;
  }

  async command(line) {
    this.#process.stdin.write(`${line}\n`);
    const answer = await this.#line();
    if (answer !== 'ok') throw new Error(`the service answers "${line}" with "${answer}"`);
  }

  /** A circuit of any name that UTF-8 can write. */
  name(text) {
    return this.command(`name ${Buffer.from(text).toString('hex')}`);
  }

  /** How another instance, of any name, sees every circuit. */
  view(instance, state, link) {
    return this.command(`view ${Buffer.from(instance).toString('hex')} ${state} ${link}`);
  }

  async stop() {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
  }

  /** At once, as a crash would. */
  async kill() {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
