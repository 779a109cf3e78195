// The versions of the data files: whoever has replaced one tells by its version whether ours has changed since.
// Run as a program, it prints what landed now: `./dev schema-image` records that.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const DATA = 'proto/data/';

const digest = (text) => createHash('sha256').update(text, 'latin1').digest('hex');

// Judges a data file by `landed`: by file name, the version and digest that landed last.
export const dataVersions = (landed) => ({ path, text }) => {
  if (!path.startsWith(DATA) || !path.endsWith('.json')) return [];
  const { version } = JSON.parse(text);
  const before = landed[path.slice(DATA.length)];
  if (!before || digest(text) === before.sha256 || version > before.version) return [];
  const line = text.split('\n').findIndex((candidate) => /^ *"version":/.test(candidate)) + 1;
  return [{ line, message: `has changed since version ${before.version} landed: raise its version` }];
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const files = readdirSync(DATA).filter((name) => name.endsWith('.json'));
  const landed = files.sort().map((name) => {
    const text = readFileSync(DATA + name, 'latin1');
    return [name, { version: JSON.parse(text).version, sha256: digest(text) }];
  });
  console.log(JSON.stringify(Object.fromEntries(landed), null, 2));
}
