import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedReport, floorReport, HUB_ON_POSTGRESQL, median, medians, report, TWO_HUBS_ON_POSTGRESQL } from './summary.mjs';

const run = (system, inFlight, rate) => ({
  system,
  inFlight,
  messages_per_second: rate,
  confirmed_ms: { p50: 1, p99: 2 },
  delivered_ms: { p50: 3 },
  hub_cpu_seconds_per_1000: 0.01,
});

test('the median is the middle one, or between the two', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test('runs are grouped by system and number in flight', () => {
  const runs = [run('a', 64, 30), run('b', 64, 10), run('a', 1, 5), run('a', 64, 10), run('a', 64, 20)];
  const groups = medians(runs);
  assert.deepEqual(groups.map((group) => [group.system, group.inFlight, group.rounds]), [['a', 64, 3], ['b', 64, 1], ['a', 1, 1]]);
  assert.equal(groups[0].values['msg/s'], 20);
});

test('the report has every run and the ratios to the first system', () => {
  const text = report([run('waymark', 64, 30), run('other', 64, 10), run('waymark', 64, 40), run('other', 64, 12)]);
  assert.match(text, /64 in flight, 2 rounds/);
  assert.match(text, /\| waymark \| 35 \(30, 40\)/);
  assert.match(text, /waymark is 3\.18 x other in rate, 1\.00 x in CPU a message/);
});

test('what is asked on PostgreSQL is a ratio of medians, with that of each round', () => {
  const text = askedReport([
    run(HUB_ON_POSTGRESQL, 64, 90), run('rabbitmq quorum, 2 connections', 64, 100), run(TWO_HUBS_ON_POSTGRESQL, 64, 81),
    run('rabbitmq classic, 2 connections', 64, 1),
    run(HUB_ON_POSTGRESQL, 64, 110), run('rabbitmq quorum, 2 connections', 64, 80), run(TWO_HUBS_ON_POSTGRESQL, 64, 70),
    run('rabbitmq classic, 2 connections', 64, 1),
  ]);
  assert.match(text, /64 in flight: waymark on postgresql is 1\.11 x rabbitmq quorum, 2 connections in rate \(0\.90, 1\.38\); asked is 1 x: met/);
  assert.match(text, /two hubs is 0\.76 x waymark on postgresql in rate \(0\.90, 0\.64\); asked is 0\.9 x: NOT MET/);
  assert.doesNotMatch(text, /classic/);
});

test('one at a time stands beside the synced record and the bare round trip of the same rounds', () => {
  const floors = [[0.2, 0.1], [0.4, 0.1], [0.3, 0.1]].map(([synced, trip]) => ({ synced_ms: { p50: synced }, round_trip_ms: { p50: trip } }));
  const text = floorReport([run('waymark', 1, 900), run('other', 1, 800), run('waymark', 64, 30)], floors);
  assert.match(text, /p50 0\.300 \(0\.200, 0\.400, 0\.300\) ms/);
  assert.match(text, /together 0\.400 ms/);
  assert.match(text, /waymark confirms one at a time in 2\.50 x that/);
});
