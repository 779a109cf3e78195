// What runs of several systems come to: a table of all of them, medians, and ratios to the first system.

// The systems of ours.
export const HUB = 'waymark';
export const HUB_ON_POSTGRESQL = 'waymark on postgresql';
export const TWO_HUBS_ON_POSTGRESQL = 'waymark on postgresql, two hubs';

// What is asked of the hub on PostgreSQL: at least so many times the rate of another system.
const ASKED = [
  { system: HUB_ON_POSTGRESQL, atLeast: 1, other: (name) => name.startsWith('rabbitmq quorum') },
  { system: TWO_HUBS_ON_POSTGRESQL, atLeast: 0.9, other: (name) => name === HUB_ON_POSTGRESQL },
];

const MEASURES = [
  ['msg/s', (run) => run.messages_per_second, 0],
  ['confirm p50 ms', (run) => run.confirmed_ms.p50, 3],
  ['confirm p99 ms', (run) => run.confirmed_ms.p99, 3],
  ['deliver p50 ms', (run) => run.delivered_ms.p50, 3],
  ['server CPU s/1000', (run) => run.hub_cpu_seconds_per_1000, 4],
];

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// One entry for each system and number in flight, in the order of the first round.
export function medians(runs) {
  const groups = new Map();
  for (const run of runs) {
    const key = `${run.inFlight} ${run.system}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((group) => ({
    system: group[0].system,
    inFlight: group[0].inFlight,
    rounds: group.length,
    values: Object.fromEntries(MEASURES.map(([name, of]) => [name, median(group.map(of))])),
    all: Object.fromEntries(MEASURES.map(([name, of]) => [name, group.map(of)])),
  }));
}

// Markdown: a line for each system with the median, and every run in brackets.
export function report(runs) {
  let text = '';
  const all = medians(runs);
  for (const inFlight of new Set(all.map((entry) => entry.inFlight))) {
    const entries = all.filter((entry) => entry.inFlight === inFlight);
    text += `\n${inFlight} in flight, ${entries[0].rounds} rounds in turns: median (every run)\n\n`;
    text += `| system | ${MEASURES.map(([name]) => name).join(' | ')} |\n|${'---|'.repeat(MEASURES.length + 1)}\n`;
    for (const entry of entries) {
      const cells = MEASURES.map(([name, , digits]) =>
        `${entry.values[name].toFixed(digits)} (${entry.all[name].map((value) => value.toFixed(digits)).join(', ')})`);
      text += `| ${entry.system} | ${cells.join(' | ')} |\n`;
    }
    const [first, ...others] = entries;
    for (const other of others) {
      const ratio = (name) => (first.values[name] / other.values[name]).toFixed(2);
      text += `\n${first.system} is ${ratio('msg/s')} x ${other.system} in rate, ${ratio('server CPU s/1000')} x in CPU a message, ` +
        `${ratio('confirm p99 ms')} x in p99.\n`;
    }
  }
  return text;
}

// A line for each ratio that is asked: of the medians, and of each round, whose runs the machine's other work touches alike.
export function askedReport(runs) {
  let text = '';
  const all = medians(runs);
  for (const { system, atLeast, other } of ASKED) {
    for (const mine of all.filter((entry) => entry.system === system)) {
      for (const theirs of all.filter((entry) => entry.inFlight === mine.inFlight && other(entry.system))) {
        const ratio = mine.values['msg/s'] / theirs.values['msg/s'];
        const rounds = mine.all['msg/s'].map((rate, index) => (rate / theirs.all['msg/s'][index]).toFixed(2));
        text += `\n${mine.inFlight} in flight: ${system} is ${ratio.toFixed(2)} x ${theirs.system} in rate (${rounds.join(', ')}); ` +
          `asked is ${atLeast} x: ${ratio >= atLeast ? 'met' : 'NOT MET'}.\n`;
      }
    }
  }
  return text;
}

// The floor of one message at a time: a synced record and a bare round trip, one of each for every round. Beside it what
// the first system takes.
export function floorReport(runs, floors) {
  const cells = (of) => `${median(floors.map(of)).toFixed(3)} (${floors.map((floor) => of(floor).toFixed(3)).join(', ')})`;
  const sum = median(floors.map((floor) => floor.synced_ms.p50 + floor.round_trip_ms.p50));
  let text = `\nfdatasync of 2 KiB: p50 ${cells((floor) => floor.synced_ms.p50)} ms; bare gRPC round trip under mutual TLS: ` +
    `p50 ${cells((floor) => floor.round_trip_ms.p50)} ms; together ${sum.toFixed(3)} ms.\n`;
  const [alone] = medians(runs.filter((run) => run.inFlight === 1));
  if (alone) text += `${alone.system} confirms one at a time in ${(alone.values['confirm p50 ms'] / sum).toFixed(2)} x that.\n`;
  return text;
}
