// A hub process of this build with certificates made for the test, and members that are this program.
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import grpc from '@grpc/grpc-js';

import { hash, newIdentity, newSealingKey, sign, spkiOf } from './envelope.mjs';
import { ConnectRequest, Message, Statement, clientOf, service } from './schema.mjs';

const peerProgram = process.env.WAYMARK_INTEROP_PEER;
const hubProgram = process.env.WAYMARK_HUB;
const START_LIMIT_MS = 60_000;

// grpc.health.v1.Health/Check of the whole server, and its answer: field 1, SERVING.
const HEALTH_CHECK = {
  path: '/grpc.health.v1.Health/Check',
  requestStream: false,
  responseStream: false,
  requestSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
};
const SERVING = Buffer.from('0801', 'hex');

// Runs the C++ side; arguments that are bytes travel as hexadecimal digits.
export const peer = (command, ...args) =>
  execFileSync(peerProgram, [command, ...args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString('hex') : arg))], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n');

export const minutesNow = () => Math.floor(Date.now() / 60_000);

// Waits until `condition` returns something.
async function until(condition, what) {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const found = condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await pause(20);
  }
}

export class Network {
  static async start() {
    const network = new Network();
    network.folder = mkdtempSync(join(tmpdir(), 'waymark-interop-'));
    const ids = Object.fromEntries(peer('network', network.folder).map((line) => line.split(' ')));
    network.organisations = ids;
    network.id = Buffer.from(ids.network, 'hex');
    const ready = join(network.folder, 'ready');
    network.process = spawn(hubProgram, ['serve', '--config', join(network.folder, 'hub.yaml'), '--ready-file', ready], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await until(() => existsSync(ready) || network.process.exitCode !== null, 'the hub is ready');
    network.ports = JSON.parse(readFileSync(ready, 'utf8'));
    network.address = `127.0.0.1:${network.ports.exchange}`;
    network.registryKey = createPrivateKey(network.file('registry.key'));
    return network;
  }

  async stop() {
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'exit');
    }
    rmSync(this.folder, { recursive: true });
    return this.process.exitCode;
  }

  file(name) {
    return readFileSync(join(this.folder, name));
  }

  // Mutual TLS as `name`. The host name says nothing in a Waymark network; the SPIFFE id of the hub does.
  credentials(name) {
    const hub = `URI:spiffe://${this.organisations.network}.waymark/hub`;
    return grpc.credentials.createSsl(this.file('ca.crt'), this.file(`${name}.key`), this.file(`${name}.crt`), {
      checkServerIdentity: (_host, certificate) =>
        certificate.subjectaltname?.split(', ').includes(hub) ? undefined : new Error('not the hub of this network'),
    });
  }

  client(serviceName, name) {
    const Client = clientOf(serviceName);
    return new Client(this.address, this.credentials(name));
  }

  // One unary call; rejects with the RPC's error.
  call(serviceName, name, method, request) {
    const client = this.client(serviceName, name);
    return new Promise((resolve, reject) => {
      client[method](request, (error, response) => {
        client.close();
        error ? reject(error) : resolve(response);
      });
    });
  }

  // grpc.health.v1 and the loopback listener both say that the hub serves.
  async healthy() {
    const page = await fetch(`http://127.0.0.1:${this.ports.metrics}/healthz`);
    const Health = grpc.makeClientConstructor({ Check: HEALTH_CHECK });
    const client = new Health(this.address, this.credentials('qso'));
    const answer = await new Promise((resolve) => {
      client.Check(Buffer.alloc(0), (error, bytes) => resolve(error ? undefined : bytes));
    });
    client.close();
    return this.process.exitCode === null && page.ok && answer !== undefined && answer.equals(SERVING);
  }
}

// A member with one unit, whose node is this program.
export class Member {
  constructor(network, name) {
    Object.assign(this, { network, name, unit: randomBytes(16), identity: newIdentity() });
    this.organisation = Buffer.from(network.organisations[name], 'hex');
    this.sealingKey = { id: randomBytes(16), ...newSealingKey() };
  }

  statement(content) {
    const issued = minutesNow();
    return Statement.encode({
      network_id: this.network.id,
      organisation_id: this.organisation,
      version: 1,
      issued_minute: issued,
      valid_until_minute: issued + 7 * 24 * 60,
      ...content,
    });
  }

  // The registry describes the member, then the member publishes its unit's sealing key.
  async join() {
    const member = this.statement({
      member: {
        handle: this.name,
        display_name: `Organisation ${this.name}`,
        organisation_class: 'ORGANISATION_CLASS_NGO',
        jurisdiction: 'XA',
        policy_pack: 'baseline',
        status: 'MEMBER_STATUS_ACTIVE',
        identity_key: spkiOf(this.identity.publicKey),
        units: [{ unit_id: this.unit, handle: `${this.name}.desk`, display_name: 'Desk' }],
        member_since: { year: 2026, month: 1, day: 2 },
      },
    });
    const byRegistry = sign(this.network.registryKey, 'waymark/v1/statement', member);
    await this.network.call('RegistryService', 'operator', 'PublishMember', {
      member: { statement: member, signature: byRegistry },
    });
    const keys = this.statement({
      unit_keys: {
        unit_id: this.unit,
        keys: [
          {
            key_id: this.sealingKey.id,
            public_key: this.sealingKey.publicKey,
            seal_until_minute: minutesNow() + 24 * 60,
          },
        ],
      },
    });
    const signature = sign(this.identity.privateKey, 'waymark/v1/statement', keys);
    return this.network.call('DirectoryService', this.name, 'PublishStatements', {
      statements: [{ statement: keys, signature }],
    });
  }

  // The directory as it stands.
  async readDirectory() {
    const client = this.network.client('DirectoryService', this.name);
    const watch = client.WatchDirectory({});
    const [answer] = await once(watch, 'data');
    watch.on('error', () => {});
    watch.cancel();
    client.close();
    return answer;
  }

  connect() {
    return new Stream(this.network, this.name);
  }
}

// The chained head over the digests of a directory log, from its beginning.
export const headOf = (entries) =>
  entries.reduce((head, entry) => hash('waymark/v1/directory-head', head, entry.digest), Buffer.alloc(32));

// A stream to the hub. Frames are written as bytes, so that broken ones can be sent too.
export class Stream {
  constructor(network, name) {
    const { Connect } = service('ExchangeService');
    const Client = grpc.makeClientConstructor({ Connect: { ...Connect, requestSerialize: (bytes) => bytes } });
    this.client = new Client(network.address, network.credentials(name));
    this.call = this.client.Connect();
    this.frames = [];
    this.waiting = [];
    this.end = new Promise((resolve) => {
      this.call.on('data', (frame) => this.take(frame));
      this.call.on('error', (error) => resolve(error));
      this.call.on('end', () => resolve(undefined));
    });
  }

  take(frame) {
    const waiter = this.waiting.shift();
    waiter ? waiter(frame) : this.frames.push(frame);
  }

  sendBytes(bytes) {
    this.call.write(bytes);
  }

  send(frame) {
    this.sendBytes(ConnectRequest.encode(frame));
  }

  // The next frame; an end of the stream before it is an error.
  async next() {
    if (this.frames.length > 0) return this.frames.shift();
    const frame = new Promise((resolve) => this.waiting.push(resolve));
    const ended = this.end.then((error) => {
      throw error ?? new Error('the stream ended');
    });
    return Promise.race([frame, ended]);
  }

  async hello(position = {}) {
    this.send({ hello: { protocol_version: 1, window_messages: 64, window_bytes: 1 << 20, ...position } });
    return (await this.next()).welcome;
  }

  // Submits items in one frame and returns their outcomes. Deliveries that come first, or with them,
  // are kept.
  async submit(...items) {
    this.send({ submit: { items } });
    const kept = [];
    for (;;) {
      const frame = await this.next();
      if (!frame.outcomes) kept.push(frame);
      const { outcomes = [] } = frame.outcomes ?? frame.deliver ?? {};
      if (outcomes.length > 0) {
        this.frames.unshift(...kept);
        return outcomes.map(({ item_id: id, reason }) => ({
          id,
          reason: reason ?? 'REASON_UNSPECIFIED',
        }));
      }
    }
  }

  close() {
    this.call.cancel();
    this.client.close();
  }
}

export const item = {
  message: (message) => ({ message }),
  registration: (registration) => ({ registration }),
};

export const messageBytes = (message) => Message.encode(message);
