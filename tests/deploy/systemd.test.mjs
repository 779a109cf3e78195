// The units of deploy/systemd: systemd takes them, they leave little open, and the programs run under their filters.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { TrialHub, done } from './trial_hub.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = mkdtempSync(join(tmpdir(), 'waymark-units-'));
after(() => rmSync(folder, { recursive: true }));

const PROGRAMS = { hub: process.env.WAYMARK_HUB, node: process.env.WAYMARK_NODE };
// What `systemd-analyze security` counts as exposure, times ten: below 20 is "OK", and the network alone is 8.
const MOST_EXPOSURE = 13;

// The unit as it stands, but for where the program lies.
function unit(name) {
  const text = readFileSync(join(root, `deploy/systemd/waymark-${name}.service`), 'utf8');
  const installed = `/usr/local/bin/waymark-${name}`;
  assert.ok(text.includes(`ExecStart=${installed} `), name);
  const path = join(folder, `waymark-${name}.service`);
  writeFileSync(path, text.replaceAll(installed, PROGRAMS[name]));
  return { path, text };
}

// The system calls of a group of systemd's, groups within it included.
function callsOf(group) {
  const lines = done('systemd-analyze', ['syscall-filter', group]).split('\n').slice(1).map((line) => line.trim());
  return lines.filter((line) => line && !line.startsWith('#')).flatMap((word) => (word.startsWith('@') ? callsOf(word) : [word]));
}

// What a unit's SystemCallFilter= lines leave, taken in order as systemd does.
function allowedBy(text) {
  const allowed = new Set(callsOf('@default'));
  for (const [, deny, words] of text.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    const calls = words.split(' ').flatMap((word) => (word.startsWith('@') ? callsOf(word) : [word]));
    for (const call of calls) deny ? allowed.delete(call) : allowed.add(call);
  }
  return [...allowed];
}

for (const name of Object.keys(PROGRAMS)) {
  test(`systemd takes the unit of the ${name}`, () => {
    const { path } = unit(name);
    const { status, stderr, error } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    assert.equal(error, undefined, 'systemd-analyze is missing; deploy/packages.txt lists what the tests need');
    assert.equal(status, 0, stderr);
    // What it ignores it only warns of.
    assert.doesNotMatch(stderr, new RegExp(`waymark-${name}`), stderr);
  });

  test(`the unit of the ${name} leaves little open`, () => {
    done('systemd-analyze', ['security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, '--no-pager', unit(name).path]);
  });
}

test('a unit that leaves more open is found', () => {
  const { path, text } = unit('hub');
  writeFileSync(path, text.replace(/^(NoNewPrivileges|ProtectSystem|SystemCallFilter|CapabilityBoundingSet|PrivateUsers)=.*$/gm, ''));
  const { status } = spawnSync('systemd-analyze', ['security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, '--no-pager', path]);
  assert.notEqual(status, 0);
});

// Runs a program as a unit's filter would let it. A sanitizer that looks for leaks would need ptrace.
const underFilter = (calls, program) => ({
  command: [process.env.WAYMARK_UNDER_FILTER, program],
  environment: {
    WAYMARK_SYSCALLS: calls.join(' '),
    ASAN_OPTIONS: [process.env.ASAN_OPTIONS, 'detect_leaks=0'].filter(Boolean).join(':'),
  },
});

test('the hub serves under the filter of its unit', async () => {
  const { text } = unit('hub');
  assert.match(text, /^Type=notify$/m);
  const hub = new TrialHub();
  await hub.start(underFilter(allowedBy(text), PROGRAMS.hub));
  assert.match(await hub.metrics(), /^process_max_fds [1-9]/m, 'it may read its own limits');
  assert.equal(await hub.stop(), 0, hub.said);
});

test('mappings run under the filter of the node, and the filter is what lets them', () => {
  const allowed = allowedBy(unit('node').text);
  const mapping = (calls, ...words) => {
    const { command, environment } = underFilter(calls, process.env.WAYMARK_CLI);
    const options = { cwd: folder, env: { ...process.env, ...environment }, encoding: 'utf8' };
    return spawnSync(command[0], [...command.slice(1), 'map', ...words], options);
  };
  assert.equal(mapping(allowed, 'new', 'generic').status, 0);
  const words = ['test', 'generic-out.jq', '--sample', 'generic-out.sample.json'];
  const { status, stdout, stderr } = mapping(allowed, ...words);
  assert.equal(status, 0, stdout + stderr);
  // A child that cannot lock itself in runs nothing.
  const without = allowed.filter((call) => call !== 'seccomp' && call !== 'prctl');
  assert.notEqual(mapping(without, ...words).status, 0);
});
