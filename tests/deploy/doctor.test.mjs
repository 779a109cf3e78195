// `waymark-hub doctor` beside a hub that runs, that does not, and that is in trouble; and its log, raised and lowered.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { TrialHub } from './trial_hub.mjs';

// What doctor finds, by check, and how it exits. The clock of the machine that runs the tests is its own affair.
function doctor(hub, config = 'hub.yaml') {
  const { status, stdout, stderr } = spawnSync(process.env.WAYMARK_HUB, ['doctor', '--config', config, '--json'],
    { cwd: hub.folder, encoding: 'utf8' });
  assert.equal(stderr, '');
  const { worst, findings } = JSON.parse(stdout);
  assert.equal(status, ['fine', 'warning', 'error'].indexOf(worst));
  for (const { severity, cure } of findings) assert.equal(cure === '', severity === 'fine');
  const of = (check) => findings.filter((finding) => finding.check === check).map(({ severity }) => severity);
  return { of, findings, status };
}

// With a port for the metrics that doctor finds again: it knows no port but that of the configuration.
function configWith(hub, port) {
  writeFileSync(join(hub.folder, 'running.yaml'),
    'data: data\nnetwork: registry/network.json\nlisten: 127.0.0.1:0\nenrolment_listen: 127.0.0.1:0\n' +
      `metrics_listen: 127.0.0.1:${port}\n`);
  return 'running.yaml';
}

test('a hub that runs, then does not, then is in trouble', async () => {
  const hub = new TrialHub();
  const fresh = doctor(hub);
  assert.deepEqual(fresh.of('running'), ['warning']);
  assert.deepEqual(fresh.of('schema'), ['fine'], 'no store yet');
  assert.deepEqual(fresh.of('certificate'), ['fine']);

  await hub.start();
  const running = doctor(hub, configWith(hub, hub.ports.metrics));
  for (const check of ['running', 'version', 'schema', 'certificate', 'statements']) {
    assert.deepEqual(running.of(check), ['fine'], JSON.stringify(running.findings));
  }
  assert.deepEqual(running.of('permissions'), ['fine', 'fine']);
  assert.equal(running.of('disk').length, 1);
  // The network file names ports at which nobody listens.
  assert.deepEqual(running.of('reachability'), ['error', 'error']);
  assert.equal(running.status, 2);

  const copy = join(hub.folder, 'data/hub.sqlite.before-2');
  writeFileSync(copy, 'x');
  assert.deepEqual(doctor(hub).of('copies'), ['fine'], 'for a week the way back stays open');
  const longAgo = Date.now() / 1000 - 8 * 86400;
  utimesSync(copy, longAgo, longAgo);
  assert.deepEqual(doctor(hub).of('copies'), ['warning']);

  chmodSync(join(hub.folder, 'data/hub.key'), 0o644);
  assert.deepEqual(doctor(hub).of('permissions'), ['fine', 'error']);
  writeFileSync(join(hub.folder, 'wrong.yaml'), 'daata: data\n');
  const wrong = doctor(hub, 'wrong.yaml');
  assert.deepEqual(wrong.findings.map(({ check }) => check), ['configuration']);
  assert.equal(wrong.status, 2);
  assert.equal(await hub.stop(), 0);
});

test('people get a line for each finding, and its cure', async () => {
  const hub = new TrialHub();
  const { stdout } = spawnSync(process.env.WAYMARK_HUB, ['doctor', '--config', 'hub.yaml'], { cwd: hub.folder, encoding: 'utf8' });
  assert.match(stdout, /^warning {2}running: no hub answers at .*\n {9}If it should run: systemctl start/m);
  assert.match(stdout, /\d+ looked at: 0 errors, \d+ warnings?\n$/);
  assert.ok(!existsSync(join(hub.folder, 'data/hub.sqlite')), 'nothing was made');
  await hub.stop();
});

test('a signal raises the log of a hub that runs, and another lowers it', async () => {
  const hub = new TrialHub();
  await hub.start();
  hub.process.kill('SIGUSR1');
  await hub.logged(/ log_level level=debug\n/);
  hub.process.kill('SIGUSR2');
  await hub.logged(/ log_level level=info\n/);
  assert.equal(await hub.stop(), 0);
});
