// What the documents say of the code, held against the code.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '../..'));

const read = (path) => readFileSync(path, 'utf8');

const filesUnder = (folder, ending) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path, ending) : path.endsWith(ending) ? [path] : [];
  });

const documents = [...filesUnder('docs', '.md'), ...filesUnder('deploy', '.md'), 'README.md', 'proto/README.md'];
const matches = (text, pattern) => [...text.matchAll(pattern)].map((match) => match.slice(1));

// google.rpc.Code by number.
const CODES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
  'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED',
  'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
];

test('the protocol page lists every reason with its number and code', () => {
  const schema = matches(
    read('proto/waymark/v1/reason.proto'),
    /^ {2}REASON_(\w+) = (\d+) \[\(reason_info\) = \{code: (\d+)/gm,
  ).map(([name, number, code]) => `${name} ${number} ${CODES[Number(code)]}`);
  const page = matches(read('docs/protocol.md'), /^\| (\w+) \| (\d+) \| (\w+) \|$/gm).map((row) => row.join(' '));
  assert.ok(schema.length > 50);
  assert.deepEqual(page, schema);
});

test('the protocol page names every kind with its number', () => {
  const kinds = matches(read('proto/waymark/v1/common.proto'), /^ {2}KIND_(\w+) = ([1-9]\d*);/gm);
  const section = read('docs/protocol.md').split('## 7.')[1];
  for (const [name, number] of kinds) assert.ok(section.includes(`${number} ${name}`), `${number} ${name}`);
});

test('every label that is hashed or signed on the wire stands on the protocol page', () => {
  const page = read('docs/protocol.md');
  const sources = ['base/envelope', 'base/directory'].flatMap((folder) => filesUnder(folder, '.cc'));
  const labels = sources.flatMap((path) => matches(read(path), /"(waymark\/v1\/[\w-]+)"/g)).flat();
  assert.ok(labels.length > 8);
  for (const label of labels) assert.ok(page.includes(label), label);
});

test('every test that a document names exists', () => {
  const sources = filesUnder('tests', '.cc').map(read).join('\n');
  const cases = new Set(matches(sources, /\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)/g).map((names) => names.join('.')));
  const rows = new Set(matches(sources, /INSTANTIATE_TEST_SUITE_P\(\s*(\w+),/g).flat());
  for (const path of documents) {
    for (const [name] of matches(read(path), /`([A-Z]\w*(?:Test|Checks|Conformance)\.\w+)`/g)) assert.ok(cases.has(name), `${path}: ${name}`);
    for (const [name] of matches(read(path), /`([CE]\d+[A-Z]\w+)`/g)) assert.ok(rows.has(name), `${path}: ${name}`);
  }
});

// Rule N1: logs and alerts show these names.
test('no name of a connector that is shipped or shown says what kind of help a person gets', () => {
  const files = [...filesUnder('deploy', 'node.yaml'), ...documents];
  const names = files.flatMap((path) => matches(read(path), /^\s*- name: ([a-z][a-z0-9-]*)(?=\s+(?:#.*)?\s*kind:)/gm).flat());
  assert.ok(names.length > 10);
  for (const name of names) assert.doesNotMatch(name, /bed|hous|shelter|room|clinic|medic|health|legal|law|case|matter|language|interpret|food|job|work|school|child/);
});

test('the operations page lists every metric', () => {
  const source = matches(read('server/web/metrics.cc'), /Name\("(waymark_\w+)"\)/g).flat();
  const page = matches(read('docs/operations.md'), /^\| `(waymark_\w+)` \|/gm).flat();
  assert.deepEqual(page.sort(), source.sort());
});

// The keys that a program asks its configuration for.
const keysOf = (program) =>
  ['base/program/program.cc', program].flatMap((path) => {
    const keys = matches(read(path), /\b(?:root|tls|section)\.(?:Path|Address|String|Strings|Choice|Bool)\(\s*"(\w+)"/g);
    assert.ok(keys.length > 2, path);
    return keys.flat();
  });

test('the operations page lists every key of both configurations', () => {
  const page = read('docs/operations.md');
  for (const program of ['server/settings.cc', 'client/program.cc']) {
    for (const key of keysOf(program)) assert.match(page, new RegExp(`\`(\\w+\\.)?${key}\``), `${program}: ${key}`);
  }
});

test('the connectors page lists every key that the node adds to a connector', () => {
  const source = read('client/local_systems.cc');
  const keys = matches(source, /(?:\.(?:Sections?|Strings?|Choice|Integer|Duration|Size)\(|ReadWithin\(section, )"(\w+)"/g).flat();
  assert.ok(keys.length > 15);
  for (const key of keys) assert.match(read('docs/connectors.md'), new RegExp(`\\b${key}\\b`), key);
});

// Writes a configuration of deploy/ for a machine whose folders are under `folder`, and any free port. With
// `whole`, the lines that are off are on, but for those that begin with `without`.
function writeConfig(name, folder, whole, without = /^$/) {
  let text = read(`deploy/${name}`)
    .replaceAll(/\/(var\/lib|var\/log|etc)\//g, `${folder}/$1/`)
    .replaceAll(/(listen: .*):\d+$/gm, '$1:0');
  if (whole) text = text.replaceAll(/^( *)#(\w+:)/gm, (line, indent, key) => (without.test(key) ? line : indent + key));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('the configurations of deploy/ have every key', () => {
  for (const [name, program] of [['hub.yaml', 'server/settings.cc'], ['node.yaml', 'client/program.cc']]) {
    for (const key of keysOf(program)) assert.match(read(`deploy/${name}`), new RegExp(`\\b${key}\\b`), `${name}: ${key}`);
  }
});

test('the programs take the configurations of deploy/, whole and as they stand', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-docs-'));
  const run = (program, ...words) => spawnSync(process.env[program], words, { cwd: folder, encoding: 'utf8' });
  const done = (program, ...words) => {
    const { status, stderr } = run(program, ...words);
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  };
  for (const name of ['etc/waymark/catalogue', 'var/lib', 'var/log']) mkdirSync(join(folder, name), { recursive: true });
  const network = join(folder, 'etc/waymark/network.json');
  const data = join(folder, 'var/lib/waymark-hub');
  done('WAYMARK_CLI', 'network', 'create', '--dir', 'registry', '--name', 'Trial', '--hub', '127.0.0.1:7443',
    '--enrolment', '127.0.0.1:7444');
  writeFileSync(network, readFileSync(join(folder, 'registry/network.json')));
  done('WAYMARK_HUB', 'init', '--data', data, '--network', network);
  done('WAYMARK_CLI', 'registry', 'sign-hub', join(data, 'hub.csr'), '--dir', 'registry', '--out', join(data, 'hub.crt'),
    '--dns', 'localhost');
  writeFileSync(join(folder, 'etc/waymark/master.key'), '0'.repeat(64), { mode: 0o600 });
  for (const whole of [false, true]) {
    const ready = join(folder, `ready-${whole}`);
    const hub = spawn(process.env.WAYMARK_HUB,
      ['serve', '--config', writeConfig('hub.yaml', folder, whole, /^store/), '--ready-file', ready]);
    let said = '';
    hub.stderr.on('data', (text) => (said += text));
    const ended = new Promise((resolve) => hub.on('exit', resolve));
    while (!existsSync(ready) && hub.exitCode === null) await new Promise(setImmediate);
    hub.kill('SIGTERM');
    assert.equal(await ended, 0, said);

    // What the node misses comes after its configuration has been taken.
    const { stderr } = run('WAYMARK_NODE', 'serve', '--config', writeConfig('node.yaml', folder, whole));
    assert.match(stderr, /there is no certificate in /);
  }
  // So does the database that is not there.
  const { stderr } = run('WAYMARK_HUB', 'serve', '--config', writeConfig('hub.yaml', folder, true));
  assert.match(stderr, /the credential database-password /);
  rmSync(folder, { recursive: true });
});

test('the command line takes every command of the guides', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-docs-'));
  const environment = {
    ...process.env,
    WAYMARK_SOCKET: join(folder, 'nobody.sock'),
    WAYMARK_SESSION: join(folder, 'session'),
    WAYMARK_REGISTRY: join(folder, 'registry'),
  };
  const commands = filesUnder('docs/guides', '.md').flatMap((path) =>
    matches(read(path).replaceAll('\\\n', ''), /^ {4}(waymark .*)$/gm).flat(),
  );
  assert.ok(commands.length > 25);
  for (const command of commands) {
    const { stderr } = spawnSync('/bin/sh', ['-c', `waymark() { "$WAYMARK_CLI" "$@"; }\n${command}`], {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
    });
    // The program's words for a command line that it does not take; that no node answers is all right.
    assert.doesNotMatch(stderr, /--help says what there is|not found/, command);
  }
  rmSync(folder, { recursive: true });
});

test('relative links lead to something', () => {
  for (const path of documents) {
    for (const [target] of matches(read(path), /\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(dirname(path), target)), `${path}: ${target}`);
    }
  }
});
