// A hub process of this build in a folder of its own, for tests that look at it from outside.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Runs a program that is expected to succeed.
export function done(program, words, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', ...options });
  assert.equal(error, undefined, `${program} cannot be run: ${error?.message}; deploy/packages.txt lists what the tests need`);
  assert.equal(status, 0, `${program} ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

export class TrialHub {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'waymark-hub-'));
    const { WAYMARK_CLI: cli, WAYMARK_HUB: hub } = process.env;
    const at = { cwd: this.folder };
    done(cli, ['network', 'create', '--dir', 'registry', '--name', 'Trial', '--hub', '127.0.0.1:1',
      '--enrolment', '127.0.0.1:2'], at);
    done(hub, ['init', '--data', 'data', '--network', 'registry/network.json'], at);
    done(cli, ['registry', 'sign-hub', 'data/hub.csr', '--dir', 'registry', '--out', 'data/hub.crt', '--dns', 'localhost'], at);
    writeFileSync(join(this.folder, 'hub.yaml'),
      'data: data\nnetwork: registry/network.json\nlisten: 127.0.0.1:0\nenrolment_listen: 127.0.0.1:0\n' +
        'metrics_listen: 127.0.0.1:0\n');
    this.said = '';
  }

  // Returns once it serves; `command` is what runs it.
  async start({ command = [process.env.WAYMARK_HUB], environment = {} } = {}) {
    const ready = join(this.folder, 'ready');
    rmSync(ready, { force: true });
    this.process = spawn(command[0], [...command.slice(1), 'serve', '--config', 'hub.yaml', '--ready-file', 'ready'],
      { cwd: this.folder, env: { ...process.env, ...environment } });
    this.process.stderr.on('data', (text) => (this.said += text));
    this.ended = new Promise((resolve) => this.process.on('exit', resolve));
    while (!existsSync(ready) && this.process.exitCode === null) await new Promise(setImmediate);
    assert.equal(this.process.exitCode, null, this.said);
    this.ports = JSON.parse(readFileSync(ready, 'utf8'));
  }

  async metrics() {
    const answer = await fetch(`http://127.0.0.1:${this.ports.metrics}/metrics`);
    return answer.text();
  }

  // Returns once the log has a line that fits.
  async logged(pattern) {
    const deadline = Date.now() + 60_000;
    while (!pattern.test(this.said)) {
      assert.ok(Date.now() < deadline, `no line like ${pattern}: ${this.said}`);
      await new Promise(setImmediate);
    }
  }

  async stop() {
    if (this.process?.exitCode === null) this.process.kill('SIGTERM');
    const code = await this.ended;
    rmSync(this.folder, { recursive: true });
    return code;
  }
}
