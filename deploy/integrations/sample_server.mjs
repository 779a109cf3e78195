// What the sample systems of these integrations share: their options, their data in one file, and HTTP with JSON.
//
// They stand for the systems that an organisation already has. They listen on this machine only and are
// for demos and tests, not for real referrals.
import { timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const MAX_BODY = 8 * 1024 * 1024;

// An answer that ends the handling of a request.
export class Answer extends Error {
  constructor(status, body, headers = {}) {
    super(`answer ${status}`);
    Object.assign(this, { status, body, headers });
  }
}

// The options that every sample system has, and more flags of its own. With --read-only it refuses what would
// change something; with --lose-answers it does that and says nothing, as in a crash.
export function readOptions(...flags) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      data: { type: 'string' },
      'token-file': { type: 'string' },
      'read-only': { type: 'boolean', default: false },
      'lose-answers': { type: 'boolean', default: false },
      ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean', default: false }])),
    },
  });
  return values;
}

// Data that is in a file before anybody is told that it is kept; without a file, in memory.
export class Keeper {
  constructor(file, empty) {
    this.file = file;
    this.data = file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : empty;
  }

  // Replaces the data, whole or not at all.
  keep(data) {
    if (this.file) {
      writeFileSync(`${this.file}.new`, JSON.stringify(data));
      renameSync(`${this.file}.new`, this.file);
    }
    this.data = data;
  }
}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Answer(413, { error: 'too large' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Answer(400, { error: 'no JSON' });
  }
}

function isAllowed(request, token) {
  if (!token) return true;
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

// Serves until the process ends. `handle` gets {method, url, headers, body} and returns or throws an Answer;
// `shape` puts the body of an answer into the system's own form. Prints {"port": N} once it listens.
export function serve({ options, type = 'application/json', handle, shape = (body) => body }) {
  const token = options['token-file'] && readFileSync(options['token-file'], 'utf8').trim();
  const server = createServer(async (request, response) => {
    let answer;
    try {
      if (!isAllowed(request, token)) throw new Answer(401, { error: 'no valid token' });
      const body = await readBody(request);
      if (options['read-only'] && request.method !== 'GET') throw new Answer(403, { error: 'read only' });
      answer = handle({ method: request.method, url: new URL(request.url, 'http://localhost'), headers: request.headers, body });
    } catch (error) {
      answer = error instanceof Answer ? error : new Answer(500, { error: 'failed' });
      if (!(error instanceof Answer)) console.error(error.message);
    }
    if (options['lose-answers'] && request.method !== 'GET') {
      request.socket.destroy();
      return;
    }
    const text = answer.body === undefined ? '' : JSON.stringify(shape(answer.body, answer.status));
    response.writeHead(answer.status, { ...(text && { 'Content-Type': type }), ...answer.headers });
    response.end(text);
  });
  server.listen(Number(options.port), '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
}
