// Runs the checks of this folder over every file of the working tree that git knows or would add, prints
// "path:line: [check] message" for each finding, and exits with 1 if there is one.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { dataVersions } from './data_versions.mjs';
import { dependencies } from './dependencies.mjs';
import { functions } from './functions.mjs';
import * as hygiene from './hygiene.mjs';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '../..'));

const stems = hygiene.parseWordList(readFileSync('tests/lint/forbidden_words.txt', 'utf8'));
const checks = {
  dependencies,
  functions,
  'neutral-names': hygiene.neutralNames(stems),
  markers: hygiene.markers,
  sleeps: hygiene.sleeps,
  length: hygiene.length,
  links: hygiene.links,
  'lock-file': hygiene.lockFile,
  'data-version': dataVersions(JSON.parse(readFileSync('proto/landed_data.json', 'utf8'))),
};

const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
const paths = listing.toString().split('\0').filter((path) => path && existsSync(path));

let findings = 0;
for (const path of paths) {
  // Latin-1 reads any bytes, so that binary files are searched for names too.
  const file = { path, text: readFileSync(path, 'latin1') };
  for (const [name, check] of Object.entries(checks)) {
    for (const { line, message } of check(file)) {
      console.log(`${path}:${line}: [${name}] ${message}`);
      findings += 1;
    }
  }
}
console.log(`${paths.length} files, ${findings} findings`);
process.exitCode = findings ? 1 : 0;
