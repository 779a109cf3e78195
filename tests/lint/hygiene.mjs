// Small rules about the text of files.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MAX_LINES = 500;
const DATA = /\.(json|csv|binpb|inc)$|^tests\/fuzz\/corpus\//;
const WORD_LIST = 'tests/lint/forbidden_words.txt';
// Written in halves, so that this file does not hold what it looks for.
const MARKERS = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`);
const SLEEP = /\b(sleep_for|sleep_until|usleep|nanosleep|SleepFor)\b|\bsleep\(/;

const findLines = (text, pattern, message) =>
  text.split('\n').flatMap((line, index) => (pattern.test(line) ? [{ line: index + 1, message }] : []));

// Rule N1: the stems of the word list stand in no file name and no file but the list itself.
export function neutralNames(stems) {
  const pattern = new RegExp(stems.join('|'), 'i');
  const message = `a word that rule N1 forbids (${WORD_LIST}); find a neutral one`;
  return ({ path, text }) => {
    if (path === WORD_LIST) return [];
    const inName = pattern.test(path) ? [{ line: 0, message: `the file's name has ${message}` }] : [];
    return [...inName, ...findLines(text, pattern, message)];
  };
}

// The stems of the word list's text.
export const parseWordList = (text) => text.split('\n').filter((line) => line && !line.startsWith('#'));

// Work that is left to do belongs into an issue, not into the sources.
export function markers({ text }) {
  return findLines(text, MARKERS, 'a marker of unfinished work; finish it or open an issue');
}

// Tests wait for a condition, never for time to pass; what must poll does so in tests/support.
export function sleeps({ path, text }) {
  if (!/^tests\/.*\.(cc|h)$/.test(path) || path.startsWith('tests/support/')) return [];
  return findLines(text, SLEEP, 'a sleep in a test; wait for the condition (tests/support) or inject the clock');
}

// Files stay short enough to be read in one go, but for data: what is generated, recorded or a flat list of
// values, where a second file would only hide the second half.
export function length({ path, text }) {
  const lines = text.split('\n').length - 1;
  if (DATA.test(path) || lines <= MAX_LINES) return [];
  return [{ line: lines, message: `${lines} lines; at most ${MAX_LINES}: split the file by what it does` }];
}

// Relative links of Markdown files lead somewhere.
export function links({ path, text }) {
  if (!path.endsWith('.md')) return [];
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target.replace(/#.*/, ''))
      .filter((target) => target && !/^[a-z]+:/.test(target) && !existsSync(join(dirname(path), target)))
      .map((target) => ({ line: index + 1, message: `the link to ${target} leads nowhere` })),
  );
}

// The lock file names no registry, so that any mirror serves.
export function lockFile({ path, text }) {
  if (!path.endsWith('package-lock.json')) return [];
  return findLines(text, /"resolved":/, 'names a registry; npm needs omit-lockfile-registry-resolved=true (.npmrc)');
}
