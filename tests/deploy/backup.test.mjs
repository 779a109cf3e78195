// `waymark-hub backup`, `verify` and `restore` around a hub that runs, as its administrator uses them.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { TrialHub } from './trial_hub.mjs';

function run(hub, ...words) {
  const { status, stdout, stderr } = spawnSync(process.env.WAYMARK_HUB, words, { cwd: hub.folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a copy beside a hub that runs, and the way back from it', async () => {
  const hub = new TrialHub();
  await hub.start();
  const made = run(hub, 'backup', '--config', 'hub.yaml', '--to', 'copy.sqlite');
  assert.equal(made.status, 0, made.stderr);
  assert.equal(statSync(join(hub.folder, 'copy.sqlite')).mode & 0o777, 0o600);
  assert.equal(run(hub, 'verify', 'copy.sqlite').status, 0);
  assert.match(run(hub, 'verify', 'data/hub.sqlite').stderr, /in use by a hub.*waymark-hub backup.*\[UNAVAILABLE\]/);
  assert.match(run(hub, 'restore', '--config', 'hub.yaml', '--from', 'copy.sqlite', '--replace').stderr,
    /stop the hub before you restore.*\[UNAVAILABLE\]/);

  hub.process.kill('SIGTERM');
  assert.equal(await hub.ended, 0);
  const restored = run(hub, 'restore', '--config', 'hub.yaml', '--from', 'copy.sqlite', '--replace');
  assert.equal(restored.status, 0, restored.stderr);
  assert.ok(existsSync(join(hub.folder, 'data/hub.sqlite.replaced-1')));
  await hub.start();
  assert.equal(await hub.stop(), 0);
});

test('a backup that is killed leaves nothing of that name', async () => {
  const hub = new TrialHub();
  await hub.start();
  // Killed at whatever moment: what has the name is whole.
  for (let round = 0; round < 10; round += 1) {
    const child = spawn(process.env.WAYMARK_HUB, ['backup', '--config', 'hub.yaml', '--to', 'copy.sqlite'], { cwd: hub.folder });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    for (let turn = 0; turn < round * 200 && child.exitCode === null; turn += 1) await new Promise(setImmediate);
    child.kill('SIGKILL');
    await ended;
    const copy = join(hub.folder, 'copy.sqlite');
    if (existsSync(copy)) assert.equal(run(hub, 'verify', 'copy.sqlite').status, 0);
    rmSync(copy, { force: true });
  }
  assert.equal(run(hub, 'backup', '--config', 'hub.yaml', '--to', 'copy.sqlite').status, 0);
  assert.deepEqual(readdirSync(hub.folder).filter((name) => name.includes('.part')), []);
  assert.equal(await hub.stop(), 0);
});
