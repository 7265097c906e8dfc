// The real server as a program of its own, and calls to it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, beforeEach } from 'node:test';

/** The value of a variable without which a test cannot run. */
export function needed(name) {
  const value = process.env[name];
  assert.ok(value, `${name} must be set`);
  return value;
}

/** One server for all tests of a file, and what is done with it before the first of them. */
export function sharedServer(prepare = () => {}) {
  const server = new Server();
  // One hook, not two: those of a file do not wait for each other.
  before(async () => {
    await server.restart();
    await prepare();
  });
  after(() => server.stop());
  return server;
}

/** A server for each test of a file: nothing that another test did is in it. */
export function freshServer() {
  const server = new Server();
  // The one before stops only here: no page that was still open has seen it go.
  beforeEach(() => server.restart());
  after(() => server.stop());
  return server;
}

class Server {
  #child;
  /** Its address, as it prints it. */
  base;

  /** Starts a server with nothing in it in the place of the one before. */
  async restart({ flags = ['--port', '0'], host = '127.0.0.1', env = {} } = {}) {
    await this.stop();
    this.#child = spawn(needed('COBRO_BIN'), ['serve', '--ephemeral', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env },
    });
    const [address] = await printed(this.#child, new RegExp(`http://${host.replaceAll('.', '[.]')}:\\d+`));
    this.base = address.replace('0.0.0.0', '127.0.0.1');
  }

  async stop() {
    const child = this.#child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  }

  /** Sends a call: the status, and the body that it was answered with. */
  async send(method, path, body, headers = {}) {
    const response = await fetch(this.base + path, {
      method, headers: { 'content-type': 'application/json', ...headers }, body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  }

  /** Sends a call that must succeed: the body that it was answered with. */
  async call(method, path, body, headers) {
    const answer = await this.send(method, path, body, headers);
    assert.ok(answer.status >= 200 && answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Sends a call to the control API, which must be answered with 200. */
  async control(method, path, body, headers) {
    const { status, body: answer } = await this.send(method, `/_cobro/v1/${path}`, body, headers);
    assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** A world of its own, with what its merchants are known by. */
  newWorld(members = {}) {
    return this.call('POST', '/_cobro/v1/worlds', members);
  }
}

/** The first match in what a program prints; its later lines are let go. */
function printed(child, pattern) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = pattern.exec(line);
      if (match) resolve(match);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`cobro ended with ${code} before it listened`)));
  });
}
