// Proves that each check finds a planted violation and accepts its counterpart.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { dataVersions } from './data_versions.mjs';
import { dependencies } from './dependencies.mjs';
import { functions } from './functions.mjs';
import * as hygiene from './hygiene.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
process.chdir(ROOT);

const include = (path, header) => dependencies({ path, text: `#include ${header}\n` });
const finds = (findings) => assert.equal(findings.length, 1);
const accepts = (findings) => assert.deepEqual(findings, []);

// Runs `body` in a scratch folder that goes away afterwards.
function inScratch(body) {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-lint-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command, args, cwd = ROOT) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { ok: status === 0, output: stdout + stderr };
}

test('dependencies: sides and layers', () => {
  for (const [path, header, allowed] of [
    ['base/ids/ids.h', '"base/random/random.h"', true],
    ['base/ids/ids.h', '"server/hub.h"', false],
    ['base/ids/ids.h', '"client/node.h"', false],
    ['base/ids/ids.h', '"waymark/v1/header.pb.h"', true],
    ['server/rpc/reactor.cc', '"base/ids/ids.h"', true],
    ['server/rpc/reactor.cc', '"client/link/link.h"', false],
    ['server/rpc/reactor.cc', '"server/session/session.h"', true],
    ['server/session/session.cc', '"server/rpc/reactor.h"', false],
    ['server/session/session.cc', '"server/store/sqlite/sqlite_store.h"', false],
    ['server/routing/decide.cc', '"server/session/session.h"', false],
    ['server/routing/decide.cc', '"server/store/store.h"', true],
    ['server/store/sqlite/sqlite_store.cc', '"server/store/store.h"', true],
    ['server/store/sqlite/sqlite_store.cc', '"server/routing/decide.h"', false],
    ['server/hub.cc', '"server/store/sqlite/sqlite_store.h"', true],
    ['server/main.cc', '"server/rpc/service.h"', false],
    ['client/link/link.cc', '"server/hub.h"', false],
    ['client/vault/vault.cc', '"client/casework/casework.h"', false],
    ['tests/integration/a_test.cc', '"server/hub.h"', true],
    ['elsewhere/a.cc', '"base/ids/ids.h"', false],
  ]) {
    assert.equal(include(path, header).length === 0, allowed, `${path} includes ${header}`);
  }
});

test('dependencies: gRPC, SQL and OpenSSL keep to their places', () => {
  finds(include('server/session/session.h', '<grpcpp/grpcpp.h>'));
  finds(include('client/casework/casework.cc', '"waymark/v1/exchange.grpc.pb.h"'));
  accepts(include('server/rpc/reactor.h', '<grpcpp/grpcpp.h>'));
  finds(include('server/store/store.h', '<sqlite3.h>'));
  accepts(include('server/store/sqlite/sqlite_store.cc', '<sqlite3.h>'));
  finds(include('client/vault/vault.cc', '<openssl/evp.h>'));
  accepts(include('base/crypto/hpke.cc', '<openssl/evp.h>'));
});

test('neutral names: every stem, in text and in names, in any case', () => {
  const stems = hygiene.parseWordList(readFileSync('tests/lint/forbidden_words.txt', 'latin1'));
  assert.ok(stems.length >= 6);
  const check = hygiene.neutralNames(stems);
  for (const stem of stems) {
    finds(check({ path: 'a.md', text: `one\nx${stem.toUpperCase()}y\n` }));
    finds(check({ path: `${stem}s.md`, text: '' }));
    accepts(check({ path: 'tests/lint/forbidden_words.txt', text: stem }));
  }
  accepts(check({ path: 'a.md', text: 'a referral\n' }));
});

test('markers of unfinished work', () => {
  finds(hygiene.markers({ path: 'a.cc', text: `// TO${'DO'}: later\n` }));
  accepts(hygiene.markers({ path: 'a.cc', text: '// done\n' }));
});

test('sleeps in tests, except in tests/support', () => {
  const text = 'std::this_thread::sleep_for(1s);\n';
  finds(hygiene.sleeps({ path: 'tests/server/a_test.cc', text }));
  accepts(hygiene.sleeps({ path: 'tests/support/poll.cc', text }));
});

test('length of files, but for data', () => {
  for (const path of ['a.cc', 'dev', 'docs/a.md', 'tests/CMakeLists.txt', 'proto/waymark/v1/a.proto']) {
    finds(hygiene.length({ path, text: '\n'.repeat(501) }));
    accepts(hygiene.length({ path, text: '\n'.repeat(500) }));
  }
  for (const path of ['proto/data/a.json', 'tests/fuzz/corpus/header/a', 'a.inc']) {
    accepts(hygiene.length({ path, text: '\n'.repeat(501) }));
  }
});

test('length of functions: the body, wherever it stands', () => {
  const lines = (count) => '  Call();\n'.repeat(count);
  const check = (text, path = 'a.cc') => functions({ path, text });
  for (const [before, after, around] of [
    ['int F(int a) {\n', '}\n', 2],
    ['namespace a {\nclass B final : public C {\n  void F() const override {\n', '}\n};\n}  // namespace a\n', 2],
    ['auto F(int a) -> std::vector<int> {\n', '}\n', 2],
    ['B::B(int a) : a_(a), b_{1} {\n', '}\n', 2],
    ['template <typename T>\nT F() noexcept {\n', '}\n', 2],
    ['TEST_F(ATest, Holds) {\n', '}\n', 2],
    ['const A& F() {\n  static const auto& a = *new A([] {\n', '  }());\n  return a;\n}\n', 5],
  ]) {
    accepts(check(before + lines(60 - around) + after));
    finds(check(before + lines(61 - around) + after));
  }
});

test('length of functions: what is not a body does not count', () => {
  const long = '    {"a", 1},\n'.repeat(80);
  const check = (text, path = 'a.cc') => functions({ path, text });
  accepts(check(`constexpr Row kRows[] = {\n${long}};\n`));
  accepts(check(`namespace a {\n${'int f();\n'.repeat(80)}}\n`));
  accepts(check(`struct A {\n${'  int a = 0;\n'.repeat(80)}};\n`));
  accepts(check(`enum A {\n${'  kA,\n'.repeat(80)}};\n`));
  accepts(check(`A::A(int a)\n${'    a_(a),\n'.repeat(80)} b_(a) {}\n`), 'an initialiser list only names members');
  accepts(check(`INSTANTIATE_TEST_SUITE_P(A, B, Values(\n${long}), C);\n`));
  accepts(check(`int F() { return '{' + "}{"[0]; }\n// {\n${'int f();\n'.repeat(80)}`), 'braces that mean nothing');
  accepts(check(`const char kText[] = R"x({ " )x";\n${'int f();\n'.repeat(80)}`));
  accepts(check(`int F() { return 5'000; }\n${"int f(); // don't\n".repeat(80)}`), 'digit separators');
  accepts(check(`int F() {\n${long}}\n`, 'a.mjs'));
});

test('length of functions: sees the functions of this repository', () => {
  const text = readFileSync('client/casework/receiver.cc', 'utf8');
  const grown = text.replace('absl::Status Receiver::CheckTimes(', (name) => `void F() {\n${'  F();\n'.repeat(60)}}\n${name}`);
  assert.notEqual(grown, text);
  accepts(functions({ path: 'a.cc', text }));
  finds(functions({ path: 'a.cc', text: grown }));
});

test('links of Markdown files', () => {
  finds(hygiene.links({ path: 'docs/a.md', text: 'see [b](no-such-file.md#part)\n' }));
  accepts(hygiene.links({ path: 'docs/a.md', text: 'see [b](../README.md), [c](https://example.org) and [d](#here)\n' }));
});

test('registries in lock files', () => {
  finds(hygiene.lockFile({ path: 'tests/package-lock.json', text: '"resolved": "https://registry.example/a.tgz"\n' }));
  accepts(hygiene.lockFile({ path: 'tests/package-lock.json', text: '"version": "1.0.0"\n' }));
});

test('versions of data files', () => {
  const path = 'proto/data/labels.en.json';
  const text = '{\n  "version": 3,\n  "language": "en"\n}\n';
  const sha256 = createHash('sha256').update(text).digest('hex');
  accepts(dataVersions({ 'labels.en.json': { version: 3, sha256 } })({ path, text }));
  accepts(dataVersions({ 'labels.en.json': { version: 2, sha256: 'of another' } })({ path, text }));
  accepts(dataVersions({})({ path, text }));
  const findings = dataVersions({ 'labels.en.json': { version: 3, sha256: 'of another' } })({ path, text });
  finds(findings);
  assert.equal(findings[0].line, 2);
});

test('tests that did not run', () => {
  inScratch((folder) => {
    const log = join(folder, 'log');
    for (const [text, clean] of [
      ['100% tests passed, 0 tests failed out of 3\n', true],
      ['The following tests did not run:\n', false],
      ['[  SKIPPED ] Store.Reopens (0 ms)\n', false],
      ['  YOU HAVE 1 DISABLED TEST\n', false],
      ['# skipped 0\n', true],
      ['# skipped 2\n', false],
    ]) {
      writeFileSync(log, text);
      assert.equal(run('tests/lint/no_skips.sh', [log]).ok, clean, text);
    }
  });
});

test('schema: style, and what would break a reader', () => {
  inScratch((folder) => {
    // A copy of the checker beside a small schema.
    const checker = join(folder, 'tests/lint/schema.sh');
    cpSync('tests/lint/schema.sh', checker);
    symlinkSync(join(ROOT, 'tests/node_modules'), join(folder, 'tests/node_modules'));
    cpSync('buf.yaml', join(folder, 'buf.yaml'));
    mkdirSync(join(folder, 'proto/waymark/v1'), { recursive: true });
    const image = join(folder, 'image.binpb');
    const write = (field) =>
      writeFileSync(
        join(folder, 'proto/waymark/v1/a.proto'),
        `syntax = "proto3";\npackage waymark.v1;\n// A.\nmessage A {\n  // B.\n  ${field}\n}\n`,
      );

    write('string b = 1;');
    assert.ok(!run(checker, ['proto', image]).ok, 'a missing image is a failure');
    assert.ok(run(join(ROOT, 'tests/node_modules/.bin/buf'), ['build', 'proto', '-o', image], folder).ok);
    const same = run(checker, ['proto', image]);
    assert.ok(same.ok, same.output);
    write('string b = 1;\n  // C.\n  string c = 2;');
    assert.ok(run(checker, ['proto', image]).ok, 'an addition breaks nobody');
    write('bytes b = 1;');
    assert.match(run(checker, ['proto', image]).output, /changed type/);
    write('string b = 1;\n  string uncommented = 2;');
    assert.match(run(checker, ['proto', image]).output, /comment/);
    write('string camelCase = 1;');
    assert.match(run(checker, ['proto', image]).output, /lower_snake_case/);
  });
});

test('clang-format and clang-tidy use the files at the root', () => {
  inScratch((folder) => {
    for (const file of ['.clang-format', '.clang-tidy']) cpSync(file, join(folder, file));
    const source = join(folder, 'a.cc');
    const verdict = (text) => {
      writeFileSync(source, text);
      return {
        format: run('clang-format', ['--dry-run', '-Werror', source]).ok,
        tidy: run('clang-tidy', ['--quiet', source, '--', '-std=c++20']).ok,
      };
    };
    assert.deepEqual(verdict('int Twice(int n) { return 2 * n; }\n'), { format: true, tidy: true });
    assert.deepEqual(verdict('int  Twice(int n) { return 2 * n; }\n'), { format: false, tidy: true });
    assert.deepEqual(verdict('int bad_name(int n) { return 2 * n; }\n'), { format: true, tidy: false });
  });
});
