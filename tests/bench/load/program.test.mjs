// waymark-bench as it is run by hand, for a moment: every mode, on both stores. Everything comes through exactly once, and
// the reports have what they should; how much of it and how soon is nobody's business here.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const BENCH = process.env.WAYMARK_BENCH;
const SMALL = ['--members', '4', '--units', '8', '--messages', '700', '--seconds', '1', '--warmup', '0'];

function run(...words) {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-bench-test-'));
  try {
    const [json, svg] = [join(folder, 'json'), join(folder, 'svg')];
    const result = spawnSync(BENCH, [...SMALL, '--json', json, '--svg', svg, ...words], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stdout + result.stderr);
    return { text: result.stdout, json: JSON.parse(readFileSync(json, 'utf8')), svg: readFileSync(svg, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const sum = (parts) => parts.reduce((total, part) => total + part.messages, 0);
const count = (text, part) => text.split(part).length - 1;

function checkSoak(soak) {
  assert.ok(soak.started > 0);
  assert.equal(soak.confirmed, soak.started);
  assert.equal(soak.delivered, soak.started);
  assert.deepEqual(soak.failures, {});
  assert.ok(soak.left_in_order + soak.left_abruptly > 0);
  assert.ok(soak.samples.length > 0);
  for (const sample of soak.samples) assert.ok(sample.hub_descriptors > 0 && sample.hub_resident_mib > 0);
}

test('with its file: a backlog, a soak at half of the maximum, and a loop', () => {
  const { text, json, svg } = run('--backlog', '700', '--soak', '0.1', '--in-flight', '8');
  assert.equal(json.store, 'sqlite');
  assert.equal(json.backlog.filling.length, 10);
  assert.equal(sum(json.backlog.filling), 700);
  assert.equal(sum(json.backlog.draining), 700);
  assert.deepEqual(json.backlog.failures, {});
  assert.equal(typeof json.backlog.cpu_seconds_per_1000_by_million.rise, 'number');
  checkSoak(json.soak);
  assert.ok(Math.abs(2 * json.soak.rate - json.soak.maximum) < 1);
  assert.deepEqual(json.loops.map((loop) => loop.name), ['64 in flight', '8 in flight']);
  for (const loop of json.loops) {
    assert.deepEqual(loop.failures, {});
    assert.equal(loop.database_cpu_seconds_per_1000, 0);
  }
  assert.match(text, /CPU of 1000 messages: .* for each million that waits/);
  assert.match(text, /nodes left \d+ times in order and \d+ times/);
  // Two panels of the backlog, four of the soak, one of the loops.
  assert.equal(count(svg, '<g '), 7);
  assert.ok(count(svg, '<circle ') >= 20, 'a dot for each part, twice');
  assert.match(svg, /s for each million<\/text>/);
});

test('two processes of the hub on PostgreSQL: a backlog, a soak and a loop', () => {
  const { json } = run('--store', 'postgresql', '--hubs', '2', '--backlog', '400', '--soak', '0.1', '--rate', '50', '--in-flight', '8');
  assert.equal(json.store, 'postgresql');
  assert.equal(json.hubs, 2);
  assert.equal(sum(json.backlog.draining), 400);
  assert.deepEqual(json.backlog.failures, {});
  checkSoak(json.soak);
  assert.equal(json.soak.rate, 50);
  const [loop] = json.loops;
  assert.deepEqual(loop.failures, {});
  assert.ok(loop.database_cpu_seconds_per_1000 > 0);
  assert.ok(loop.hub_cpu_seconds_per_1000 > loop.database_cpu_seconds_per_1000);
});

test('idle nodes, and a storm after which all of them are back', () => {
  const { text, json } = run('--idle', '0.1', '--storm');
  assert.equal(json.idle.nodes, 4);
  assert.equal(json.storm.nodes, 4);
  assert.deepEqual(json.loops, []);
  assert.match(text, /a storm of 4 nodes: /);
});

test('what cannot be is refused, and nothing is started', () => {
  const result = spawnSync(BENCH, ['--hubs', '2'], { encoding: 'utf8' });
  assert.equal(result.status, 2);
  assert.match(result.stderr, /--hubs expects 1, or with --store postgresql/);
});
