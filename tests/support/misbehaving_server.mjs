// An HTTP server that does everything wrong that servers do, each at an address of its own.
//
//   node misbehaving_server.mjs [FOLDER]
//
// Prints {"http": PORT, "elsewhere": PORT, ...} once it listens. With a folder, for each of its NAME.pem and
// NAME.key it also listens with TLS; the one named "mutual" lets nobody in without a certificate of ca.pem.
// GET /journal returns what came to the other addresses, in order.
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';

const KEPT_HEADERS = ['authorization', 'idempotency-key', 'content-type', 'accept', 'user-agent', 'cookie'];
const HUGE = 9 * 1024 * 1024;

const journal = [];
let tokens = 0;
let goodToken;

const json = (response, code, value, headers = {}) => {
  response.writeHead(code, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
};

// Answers as the query says: code, body, type, and any header by its name.
function asked(request, response, url) {
  const { body = '', code = '200', ...headers } = Object.fromEntries(url.searchParams);
  response.writeHead(Number(code), headers);
  response.end(body);
}

function giveToken(request, response, url, body) {
  const form = new URLSearchParams(body);
  const basic = `Basic ${Buffer.from('waymark:a%3Asecret').toString('base64')}`;
  const inBody = form.get('client_id') === 'waymark' && form.get('client_secret') === 'a:secret';
  if (form.get('grant_type') !== 'client_credentials') return json(response, 400, { error: 'unsupported_grant_type' });
  if (request.headers.authorization !== basic && !inBody) return json(response, 401, { error: 'invalid_client' });
  tokens += 1;
  goodToken = `token-${tokens}`;
  return json(response, 200, { access_token: goodToken, token_type: 'Bearer', expires_in: 600, scope: form.get('scope') });
}

const ADDRESSES = {
  '/journal': (request, response) => json(response, 200, journal),
  '/asked': asked,
  '/slow': () => {},
  '/slow-body': (request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('[');
  },
  // The record has been taken; what is lost is the answer, or a part of it.
  '/drop': (request, response) => request.socket.destroy(),
  '/half': (request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' });
    response.write('{"a":', () => request.socket.destroy());
  },
  '/half-chunked': (request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('[1,', () => request.socket.destroy());
  },
  '/half-refusal': (request, response) => {
    response.writeHead(422, { 'Content-Type': 'application/json', 'Content-Length': '100' });
    response.write('{"a":', () => request.socket.destroy());
  },
  '/huge': (request, response) => json(response, 200, ['x'.repeat(HUGE)]),
  '/token': giveToken,
  '/forget-token': (request, response) => {
    goodToken = undefined;
    json(response, 200, []);
  },
  '/protected': (request, response) => {
    const good = goodToken && request.headers.authorization === `Bearer ${goodToken}`;
    json(response, good ? 200 : 401, []);
  },
};

async function handle(request, response, name) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname !== '/journal') {
    const headers = Object.fromEntries(KEPT_HEADERS.map((header) => [header, request.headers[header] ?? '']));
    journal.push({ server: name, method: request.method, path: request.url, body, ...headers });
  }
  const address = ADDRESSES[url.pathname] ?? ((unused, answer) => json(answer, 404, {}));
  address(request, response, url, body);
}

const listening = (server, name) =>
  new Promise((resolve) => {
    server.on('request', (request, response) => handle(request, response, name).catch(() => response.destroy()));
    // Names that somebody shut out are no reason to end.
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1', () => resolve([name, server.address().port]));
  });

function tlsServers(folder) {
  const names = readdirSync(folder).filter((file) => file.endsWith('.key')).map((file) => file.slice(0, -4));
  return names.filter((name) => name !== 'ca').map((name) => {
    const mutual = name === 'mutual' && { ca: readFileSync(join(folder, 'ca.pem')), requestCert: true, rejectUnauthorized: true };
    const own = { cert: readFileSync(join(folder, `${name}.pem`)), key: readFileSync(join(folder, `${name}.key`)) };
    return [https.createServer({ ...own, ...mutual }), name];
  });
}

const folder = process.argv[2];
const servers = [[http.createServer(), 'http'], [http.createServer(), 'elsewhere'], ...(folder ? tlsServers(folder) : [])];
const ports = await Promise.all(servers.map(([server, name]) => listening(server, name)));
console.log(JSON.stringify(Object.fromEntries(ports)));
