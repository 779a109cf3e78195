// Proves what the record of a full check says, on a repository of the test's own whose ./dev ends as it is told.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'check_all.sh');
let folder;
const git = (...words) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t', ...words], { encoding: 'utf8' }).trim();

// Runs the steps and returns the exit status and the lines of the record, by step.
function check(...steps) {
  const { status } = spawnSync(join(folder, 'tests/lint/check_all.sh'), ['record.md', ...steps], { encoding: 'utf8' });
  const lines = readFileSync(join(folder, 'record.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `'));
  return { status, lines: Object.fromEntries(lines.map((line) => [line.split('`')[1], line])) };
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'waymark-check-all-'));
  mkdirSync(join(folder, 'tests/lint'), { recursive: true });
  copyFileSync(SCRIPT, join(folder, 'tests/lint/check_all.sh'));
  writeFileSync(join(folder, 'dev'), '#!/bin/sh\n[ ! -e "broken-$1" ]\n', { mode: 0o755 });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'first');
});
after(() => rmSync(folder, { recursive: true }));

test('every step has a line with its result, its time and its commit', () => {
  const { status, lines } = check('lint --all', 'fuzz');
  assert.equal(status, 0);
  assert.deepEqual(Object.keys(lines), ['./dev lint --all', './dev fuzz']);
  const commit = git('rev-parse', '--short', 'HEAD');
  assert.match(lines['./dev fuzz'], new RegExp(`passed \\| \\d+ s \\| \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC \\| ${commit} \\|$`));
});

test('a step that fails is told, and the others keep their lines and their places', () => {
  const earlier = check('lint --all', 'fuzz').lines;
  writeFileSync(join(folder, 'broken-fuzz'), '');
  const { status, lines } = check('fuzz');
  assert.equal(status, 1);
  assert.match(lines['./dev fuzz'], /FAILED .*with uncommitted changes/);
  assert.equal(lines['./dev lint --all'], earlier['./dev lint --all']);
  assert.deepEqual(Object.keys(lines), Object.keys(earlier));
});

test('all steps run, whichever fail', () => {
  writeFileSync(join(folder, 'broken-lint'), '');
  const { status, lines } = check('lint --all', 'test tsan');
  assert.equal(status, 1);
  assert.match(lines['./dev lint --all'], /FAILED/);
  assert.match(lines['./dev test tsan'], /passed/);
});
