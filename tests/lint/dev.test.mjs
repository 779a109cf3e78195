// Proves how ./dev deals with missing packages, on machines made of a PATH: the few tools that every Debian
// has, and stand-ins for apt-get, dpkg-query, id and sudo that record how they were called. Also that what
// `./dev demo` installs is enough to configure the build.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const ESSENTIAL = ['awk', 'bash', 'cut', 'dirname', 'env', 'grep'];

const NOTHING_INSTALLED = { 'dpkg-query': 'exit 1' };
const APT = { 'apt-get': 'exit 0' };
const ROOT_USER = { id: 'echo 0' };
const OTHER_USER = { id: 'echo 1000' };
const SUDO = { sudo: 'exec "$@"' };

// Runs `./dev COMMAND` on a machine that has the stand-ins, a name and the body of a script each, in a checkout in
// which nothing is built. Without git, `fmt` gets no further than the packages.
function onMachine(standIns, environment = {}, command = 'fmt') {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-dev-'));
  try {
    const path = join(folder, 'bin');
    const calls = join(folder, 'calls');
    mkdirSync(path);
    writeFileSync(calls, '');
    copyFileSync(join(ROOT, 'dev'), join(folder, 'dev'));
    for (const name of ['deploy', 'CMakePresets.json']) symlinkSync(join(ROOT, name), join(folder, name));
    for (const tool of ESSENTIAL) {
      symlinkSync(execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(path, tool));
    }
    for (const [name, body] of Object.entries(standIns)) {
      const script = `#!${join(path, 'bash')}\necho "${name} $*" >>${calls}\n${body}\n`;
      writeFileSync(join(path, name), script, { mode: 0o755 });
    }
    const result = spawnSync(join(path, 'bash'), [join(folder, 'dev'), command], {
      env: { PATH: path, ...environment },
      encoding: 'utf8',
    });
    return { status: result.status, output: result.stdout + result.stderr, calls: readFileSync(calls, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const packages = readFileSync(join(ROOT, 'deploy/packages.txt'), 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'));

test('the list: a known group, a package, a command or -, and a reason on every line', () => {
  assert.ok(packages.length > 20);
  for (const entry of packages) assert.match(entry, /^(build|demo|test|lint|compare) +[a-z0-9+.-]+ +(-|[a-z_+-]+) +\S.*$/);
});

test('root: names what is missing and why, then installs exactly that', () => {
  const { output, calls } = onMachine({ ...NOTHING_INSTALLED, ...APT, ...ROOT_USER, 'clang-tidy': '' });
  assert.match(output, /clang-format +formatting/);
  assert.ok(output.indexOf('clang-format') < output.indexOf('Installing'), 'says so first');
  assert.match(calls, /apt-get update/);
  assert.match(calls, /apt-get install --yes --no-install-recommends clang .*clang-format\n/);
  assert.doesNotMatch(calls, /apt-get install.*clang-tidy/, 'a command on the PATH is not missing');
});

test('another user: installs through sudo', () => {
  const { output, calls } = onMachine({ ...NOTHING_INSTALLED, ...APT, ...OTHER_USER, ...SUDO });
  assert.match(output, /through sudo/);
  assert.match(calls, /sudo env DEBIAN_FRONTEND=noninteractive apt-get install/);
});

test('neither root nor sudo: says what to run, installs nothing', () => {
  const { status, output, calls } = onMachine({ ...NOTHING_INSTALLED, ...APT, ...OTHER_USER });
  assert.equal(status, 1);
  assert.match(output, /no sudo. As root, run: apt-get install .*clang-format/);
  assert.doesNotMatch(calls, /apt-get/);
});

test('apt-get fails: says what to do', () => {
  const { status, output } = onMachine({ ...NOTHING_INSTALLED, ...ROOT_USER, 'apt-get': 'exit 100' });
  assert.equal(status, 1);
  assert.match(output, /could not be installed.*as root: apt-get install/);
});

test('not Debian: says what is needed and how to go on', () => {
  const { status, output } = onMachine({ ...ROOT_USER });
  assert.equal(status, 1);
  assert.match(output, /clang-format +formatting/);
  assert.match(output, /not Debian.*WAYMARK_SKIP_PACKAGES=1/);
});

test('nothing missing, or not to be checked: installs nothing and asks for nothing', () => {
  for (const [standIns, environment] of [
    [{ ...APT, 'dpkg-query': 'for name in "${@:4}"; do echo "installed $name"; done' }, {}],
    [{ ...NOTHING_INSTALLED, ...APT }, { WAYMARK_SKIP_PACKAGES: '1' }],
  ]) {
    const { output, calls } = onMachine(standIns, environment);
    assert.doesNotMatch(output, /Missing/);
    assert.doesNotMatch(calls, /apt-get/);
  }
});

test('what demo installs is enough to configure what it builds', () => {
  const { output } = onMachine({ ...NOTHING_INSTALLED, ...OTHER_USER, 'apt-get': '' }, {}, 'demo');
  const installed = output.match(/run: apt-get install .*--no-install-recommends (.*)$/m)[1].split(' ');
  const { calls } = onMachine({ cmake: 'exit 1' }, { WAYMARK_SKIP_PACKAGES: '1' }, 'demo');
  const configure = calls.match(/^cmake (--preset .*)$/m)[1].split(' ');

  // The programs of this machine, but for those that come with packages which demo does not install.
  const absent = packages.map((line) => line.split(/ +/)).filter(([, name]) => !installed.includes(name));
  assert.ok(absent.some(([, , command]) => command === 'npm'));
  const folder = mkdtempSync(join(tmpdir(), 'waymark-dev-'));
  try {
    const path = join(folder, 'bin');
    mkdirSync(path);
    const folders = ['/usr/bin', '/bin', ...process.env.PATH.split(':')].filter((name) => name.startsWith('/'));
    const taken = new Set(absent.map(([, , command]) => command));
    for (const source of folders.filter((name) => existsSync(name))) {
      for (const program of readdirSync(source).filter((name) => !taken.has(name))) {
        symlinkSync(join(source, program), join(path, program));
        taken.add(program);
      }
    }
    const result = spawnSync(
      join(path, 'cmake'),
      [...configure, '-B', join(folder, 'build'), `-DCMAKE_IGNORE_PATH=${folders.join(';')}`],
      { cwd: ROOT, env: { PATH: path }, encoding: 'utf8' },
    );
    assert.equal(result.status, 0, result.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
