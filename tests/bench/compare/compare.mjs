// Waymark's hub, with its file and on PostgreSQL, beside RabbitMQ: the same machine, the same bodies, the same
// number of messages under way, in turns. Called by `./dev bench-hub --compare`; docs/benchmarks.md says how to read it.
//
//   node compare.mjs BUILD [--rounds N] [--in-flight N]... [--pairs N]... [--seconds S] [--json FILE]
//
// N pairs are N publishers and N consumers at RabbitMQ: 1 is what its clients usually have, 8 makes as many
// connections as the hub has from the 16 members that 1,000 units need.
//
// RabbitMQ is Debian's, started here with a node, a port and a folder of its own, and stopped by the
// process id that it wrote. Waymark's numbers come from waymark-bench, which starts PostgreSQL where it is to
// store there, RabbitMQ's from amqp_bench.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { askedReport, floorReport, HUB, HUB_ON_POSTGRESQL, medians, report, TWO_HUBS_ON_POSTGRESQL } from './summary.mjs';

const BROKER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
// Each with the options of waymark-bench that make it.
const HUBS = [
  [HUB, []],
  [HUB_ON_POSTGRESQL, ['--store', 'postgresql']],
  [TWO_HUBS_ON_POSTGRESQL, ['--store', 'postgresql', '--hubs', '2']],
];

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      'in-flight': { type: 'string', multiple: true, default: ['64', '1'] },
      seconds: { type: 'string', default: '5' },
      pairs: { type: 'string', multiple: true, default: ['1', '8'] },
      json: { type: 'string' },
    },
  });
  if (positionals.length !== 1) throw new Error('compare: expects the build folder, and options');
  for (const name of ['rounds', 'in-flight', 'seconds', 'pairs']) {
    if (![values[name]].flat().every((value) => Number(value) > 0)) throw new Error(`compare: --${name} expects a number above 0`);
  }
  return { ...values, build: positionals[0] };
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

// A CA, and a certificate of it for the broker and one for its clients.
function makeCertificates(folder) {
  const openssl = (...words) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=bench');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=localhost');
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
      '-extfile', 'names', '-out', `${name}.pem`);
  }
}

const accepts = (port) => spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`], { stdio: 'ignore' }).status === 0;

class Broker {
  static async start(folder) {
    const broker = new Broker();
    broker.tls = join(folder, 'tls');
    mkdirSync(broker.tls);
    makeCertificates(broker.tls);
    broker.port = await freePort();
    const [distribution, names, plain] = [await freePort(), await freePort(), await freePort()];
    broker.pidFile = join(folder, 'pid');
    writeFileSync(join(folder, 'rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${plain}
listeners.ssl.1 = 127.0.0.1:${broker.port}
ssl_options.cacertfile = ${broker.tls}/ca.pem
ssl_options.certfile = ${broker.tls}/server.pem
ssl_options.keyfile = ${broker.tls}/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
log.console.level = warning
`);
    writeFileSync(join(folder, 'enabled_plugins'), '[].');
    const environment = {
      PATH: process.env.PATH,
      HOME: folder,
      RABBITMQ_NODENAME: 'waymark-bench@localhost',
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
      RABBITMQ_PID_FILE: broker.pidFile,
      RABBITMQ_DIST_PORT: String(distribution),
      ERL_EPMD_PORT: String(names),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} -start_epmd true',
    };
    let user = {};
    if (process.getuid() === 0) {
      user = { uid: idOf('-u'), gid: idOf('-g') };
      for (const path of [folder, broker.tls, join(broker.tls, 'server.key')]) chownSync(path, user.uid, user.gid);
    }
    broker.process = spawn(BROKER, [], { env: environment, ...user, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    broker.output = '';
    for (const stream of [broker.process.stdout, broker.process.stderr]) {
      stream.on('data', (data) => { broker.output += data; });
    }
    broker.names = names;
    for (let i = 0; i < 240 && !(existsSync(broker.pidFile) && accepts(broker.port)); ++i) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    if (!existsSync(broker.pidFile)) throw new Error(`compare: RabbitMQ did not start:\n${broker.output}`);
    broker.pid = Number(readFileSync(broker.pidFile, 'utf8'));
    return broker;
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    process.kill(this.pid, 'SIGTERM');
    await ended;
    // The name server that this node started, on its own port.
    spawnSync('epmd', ['-port', String(this.names), '-kill'], { stdio: 'ignore' });
  }
}

const idOf = (flag) => Number(execFileSync('id', [flag, 'rabbitmq'], { encoding: 'utf8' }));

function run(command, words) {
  const result = spawnSync(command, words, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`compare: ${command} failed:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

function measureWaymark(options, folder, inFlight, words) {
  const json = join(folder, 'waymark.json');
  run(join(options.build, 'tests/bench/load/waymark-bench'), ['--in-flight', inFlight, '--seconds', options.seconds,
    '--messages', String(Math.ceil((Number(options.seconds) + 1) * (Number(inFlight) > 8 ? 30000 : 4000))), '--json', json, ...words]);
  return JSON.parse(readFileSync(json, 'utf8')).loops[0];
}

// What one message at a time costs with nothing around it. On the disk that the hub has.
const measureBare = (options, broker, folder) =>
  JSON.parse(run(join(options.build, 'tests/bench/compare/bare_bench'), ['--tls', broker.tls, '--file', join(folder, 'bare'),
    '--seconds', String(Number(options.seconds) / 2)]));

const measureBroker = (options, broker, queue, inFlight, pairs) =>
  JSON.parse(run(join(options.build, 'tests/bench/compare/amqp_bench'), ['--port', String(broker.port), '--pid', String(broker.pid),
    '--tls', broker.tls, '--queue', queue, '--in-flight', inFlight, '--seconds', options.seconds, '--pairs', pairs]));

async function main() {
  const options = readArguments();
  if (!existsSync(BROKER)) throw new Error(`compare: ${BROKER} is missing; install rabbitmq-server`);
  const folder = mkdtempSync(join(tmpdir(), 'waymark-compare-'));
  let broker;
  try {
    broker = await Broker.start(folder);
    const runs = [];
    const floors = [];
    for (let round = 1; round <= Number(options.rounds); ++round) {
      floors.push(measureBare(options, broker, folder));
      for (const inFlight of options['in-flight']) {
        const add = (system, result) => {
          runs.push({ system, round, inFlight: Number(inFlight), ...result });
          process.stderr.write(`round ${round}, ${inFlight} in flight, ${system}: ${Math.round(result.messages_per_second)} a second\n`);
        };
        // Two processes have nothing to share of one message.
        for (const [name, words] of HUBS.filter(([each]) => each !== TWO_HUBS_ON_POSTGRESQL || Number(inFlight) > 1)) {
          add(name, measureWaymark(options, folder, inFlight, words));
        }
        // No more pairs than messages under way.
        for (const pairs of options.pairs.filter((each) => Number(each) <= Number(inFlight))) {
          for (const queue of ['quorum', 'classic']) {
            add(`rabbitmq ${queue}, ${2 * Number(pairs)} connections`, measureBroker(options, broker, queue, inFlight, pairs));
          }
        }
      }
    }
    process.stdout.write(report(runs) + askedReport(runs) + floorReport(runs, floors));
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ runs, floors, medians: medians(runs) }, null, 1)}\n`);
  } finally {
    if (broker?.pid) await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
