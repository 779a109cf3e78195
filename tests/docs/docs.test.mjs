// What the documents say of the code, held against the code.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
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

const documents = filesUnder('docs', '.md');
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

test('the operations page lists every metric', () => {
  const source = matches(read('server/web/metrics.cc'), /Name\("(waymark_\w+)"\)/g).flat();
  const page = matches(read('docs/operations.md'), /^\| `(waymark_\w+)` \|/gm).flat();
  assert.deepEqual(page.sort(), source.sort());
});

test('the operations page lists every key of both configurations', () => {
  const page = read('docs/operations.md');
  for (const program of ['base/program/program.cc', 'server/program.cc', 'client/program.cc']) {
    const keys = matches(
      read(program),
      /\b(?:root|tls|section)\.(?:Path|Address|String|Strings|Choice|Bool)\(\s*"(\w+)"/g,
    );
    assert.ok(keys.length > 2);
    for (const [key] of keys) assert.match(page, new RegExp(`\`(\\w+\\.)?${key}\``), `${program}: ${key}`);
  }
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
