// Proves the parts of the demo that its own run does not: how it lays out what it shows, what it says when a step
// fails, and that it ends what it started and nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = join(dirname(fileURLToPath(import.meta.url)), '../../deploy/demo');

// Runs a script with the demo's functions at hand.
function run(script, input = '') {
  const prelude = `set -euo pipefail; ROOT=/nonexistent; source ${DEMO}/output.sh; source ${DEMO}/processes.sh\n`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + script], { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a long line of a table goes on below its last column', () => {
  const words = Array.from({ length: 40 }, (_, i) => `word${i}`).join(' ');
  const { stdout } = run('indent', `NAME  WHAT\nlin   ${words}\n`);
  const lines = stdout.trimEnd().split('\n');
  assert.ok(lines.length > 3);
  for (const line of lines) assert.ok(line.length <= 100, line);
  assert.match(lines[1], /^ {4}lin {3}word0 word1/);
  for (const line of lines.slice(2)) assert.match(line, /^ {10}word/);
  assert.deepEqual(stdout.match(/word\d+/g), words.split(' '));
});

test('columns keeps those that are named', () => {
  const { stdout } = run("columns 'OTHER UNIT|WHAT'", 'ID    OTHER UNIT  STATE  WHAT\n1234  bwi.pool    OPEN   601 By phone\n');
  assert.equal(stdout, 'OTHER UNIT  WHAT\nbwi.pool    601 By phone\n');
});

test('values keeps the table of fields alone', () => {
  const { stdout } = run('values', 'referral 1\n\nFIELD  VALUE\nA.b    1\n\nWHEN  WAY\n1     sent\n');
  assert.equal(stdout, 'FIELD  VALUE\nA.b    1\n');
});

test('a step that fails is named with what it said, and ends the demo', () => {
  const { status, stdout, stderr } = run("quietly bash -c 'echo all good'; quietly bash -c 'echo no room; exit 3'; echo on");
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /this step failed: bash -c echo no room; exit 3\nno room/);
});

test('waiting ends at once when it is hopeless', () => {
  const { status, stderr } = run("gone() { echo it has ended; return $HOPELESS; }; until_true 600 gone");
  assert.equal(status, 1);
  assert.match(stderr, /waiting for: gone\nit has ended/);
});

test('what was started is found, with what it started, and ended', () => {
  const { status, stdout } = run(`
    exec 3< <(tail -f /dev/null >/dev/null & tail -f /dev/null >/dev/null & echo started; wait)
    read -r started <&3
    find_processes
    echo "\${#PROCESSES[@]}"
    end_processes "\${PROCESSES[@]}"
    find_processes
    echo "\${#PROCESSES[@]}"`);
  assert.equal(status, 0);
  assert.equal(stdout, '3\n0\n');
});

test('a process that only has the number of one that ended is left alone', () => {
  const { stdout } = run(`
    tail -f /dev/null &
    process=$(name_process $!)
    end_processes "\${process%:*}:1"
    if still_runs "$process"; then echo runs; fi
    end_processes "$process"
    if ! still_runs "$process"; then echo ended; fi`);
  assert.equal(stdout, 'runs\nended\n');
});
