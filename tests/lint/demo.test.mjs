// Proves the parts of the demo that its own run does not: how it lays out what it shows, what it says when a step
// fails, and that it ends what it started and nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = join(dirname(fileURLToPath(import.meta.url)), '../../deploy/demo');

// Runs a script with the demo's functions at hand.
function run(script, input = '') {
  const root = mkdtempSync(join(tmpdir(), 'waymark-demo-test-'));
  try {
    const prelude = `set -euo pipefail; ROOT=${root}; source ${DEMO}/output.sh; source ${DEMO}/processes.sh\n`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + script], { input, encoding: 'utf8' });
    return { status, stdout, stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
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

// Runs a script with the demo's folder and the functions for the partners' systems at hand.
function runWithSystems(script, use = () => {}) {
  const root = mkdtempSync(join(tmpdir(), 'waymark-demo-test-'));
  try {
    mkdirSync(join(root, 'bwi/roster/bookings'), { recursive: true });
    mkdirSync(join(root, 'bwi/roster/answers'));
    for (const name of ['lin', 'bay']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'bwi/roster/bookings/r1.csv'), "key,request_key,language\r\nr1,'+AcA==,ti\r\n");
    const prelude = `set -euo pipefail; HERE=${DEMO}; ROOT=${root}; source $HERE/output.sh; source $HERE/systems.sh\n`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + script], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    use((path) => readFileSync(join(root, path), 'utf8'));
    return stdout;
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('an id is the same in base64', () => {
  assert.equal(runWithSystems('base64_of 000102030405060708090a0b0c0d0e25'), 'AAECAwQFBgcICQoLDA0OJQ==\n');
});

test('a booking is shown by its columns, and answered by its key', () => {
  const stdout = runWithSystems('booking_of r1; propose r1; ! booking_of r2', (read) => {
    assert.match(read('bwi/roster/answers/r1.csv'), /^request_key,answer,.*\n'\+AcA==,proposed,\d{4}-\d\d-\d\dT\d\d:\d\d,1,/);
  });
  assert.equal(stdout, "key r1\nrequest_key '+AcA==\nlanguage ti\n");
});

test('what joins a node to a system is that of the integration, but for where it is', () => {
  const id = '000102030405060708090a0b0c0d0e0f';
  const script = `echo '{"port":9}' >$ROOT/clinic.log; for s in lin-206 bwi-601 bay-402; do SERVICE_ID[$s]=${id}; done
    for who in lin bwi bay; do join_system $who; done`;
  runWithSystems(script, (read) => {
    assert.match(read('lin/node.yaml'), /host: \S+\.register\n/);
    assert.doesNotMatch(read('lin/node.yaml'), /password/);
    assert.equal(read('bwi/node.yaml').match(/settle: 1s/g).length, 2);
    assert.match(read('bay/node.yaml'), /address: http:\/\/127\.0\.0\.1:9\/r4\n/);
    for (const who of ['lin', 'bwi', 'bay']) {
      assert.match(read(`${who}/node.yaml`), /poll: 200ms/);
      assert.doesNotMatch(read(`${who}/node.yaml`), /credential|\/srv\/|EBESExQV|clinic\.example\/r4/);
    }
  });
});

test('a step that fails is named with what it said, and ends the demo', () => {
  const { status, stdout, stderr } = run("quietly bash -c 'echo all good'; quietly bash -c 'echo no room; exit 3'; echo on");
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /this step failed: bash -c echo no room; exit 3\nno room/);
});

test('what is waited for is tried again until it succeeds, and keeps what it sets', () => {
  const { status, stdout, stderr } = run(`
    third_time() { echo try; ((++TRIES == 3)); }
    TRIES=0
    until_true 600 third_time
    capture printf '%s\\n' one two
    echo "$TRIES $SHOWN"`);
  assert.equal(stderr, '');
  assert.equal(stdout, '3 one\ntwo\n');
  assert.equal(status, 0);
});

test('what is started has its log at once, and holds nothing of the demo open', () => {
  const { status, stdout } = run(`
    start "$ROOT/log" bash -c 'echo begun; sleep 60'
    log=$(<"$ROOT/log")
    begun() { [[ $(<"$ROOT/log") == begun ]]; }
    until_true 10 begun
    for file in /proc/$!/fd/*; do
      if [[ $(readlink "$file") == "$(readlink /proc/$$/fd/2)" ]]; then echo "holds $file"; fi
    done
    kill $!`);
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

test('a sentence is on one line, or goes on in the next', () => {
  const { stdout } = run(`say 'It is short.'; say "$(printf 'word %.0s' {1..30})end."`);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines) assert.match(line, /^ {2}\S.{0,97}$/);
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
    name_process $!
    process=$PROCESS
    end_processes "\${process%:*}:1"
    if still_runs "$process"; then echo runs; fi
    end_processes "$process"
    if ! still_runs "$process"; then echo ended; fi`);
  assert.equal(stdout, 'runs\nended\n');
});
