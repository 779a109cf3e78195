// What deploy/monitoring hands to Prometheus and Grafana, held against the hub's own /metrics and Prometheus' own tool.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { TrialHub, done } from './trial_hub.mjs';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '../../deploy/monitoring'));

const read = (path) => readFileSync(path, 'utf8');
const matches = (text, pattern) => [...text.matchAll(pattern)].map((match) => match.slice(1));

// The series that an expression names: those of the hub, and those that rules.yml records.
const namesIn = (expression) => matches(expression, /\b((?:waymark|process)_\w+|\w+:waymark_\w+:\w+)/g).flat();

const rules = read('rules.yml');
const recorded = new Set(matches(rules, /^ +- record: (\S+)$/gm).flat());
const expressions = matches(rules, /^ +expr: (.+)$/gm).flat();

// Every expression of the dashboard, with where it stands.
function queries(dashboard) {
  const found = [];
  for (const panel of dashboard.panels) {
    for (const { expr } of panel.targets ?? []) found.push([panel.title, expr]);
  }
  for (const { name, query } of dashboard.templating.list) found.push([name, query]);
  return found;
}

test('every metric that the dashboard or a rule asks for is in the metrics of the hub', async () => {
  const hub = new TrialHub();
  await hub.start();
  const served = new Set(matches(await hub.metrics(), /^([a-z_]+)(?:\{[^}]*\})? \S+$/gm).flat());
  assert.equal(await hub.stop(), 0);
  assert.ok(served.size > 40);
  const asked = [...expressions.map((expression) => ['rules.yml', expression]), ...queries(JSON.parse(read('dashboard.json')))];
  assert.ok(asked.length > 70);
  for (const [place, expression] of asked) {
    for (const name of namesIn(expression)) {
      assert.ok(served.has(name) || recorded.has(name), `${place}: nothing serves ${name}`);
    }
  }
});

test('the dashboard is one that Grafana imports', () => {
  const { panels, templating, title, uid } = JSON.parse(read('dashboard.json'));
  assert.ok(title && uid);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const variables = new Set(templating.list.map(({ name }) => name));
  for (const panel of panels.filter(({ type }) => type !== 'row')) {
    assert.ok(panel.targets.length > 0, panel.title);
    assert.ok(panel.description.length > 10, `${panel.title}: says nothing about itself`);
    const { x, w } = panel.gridPos;
    assert.ok(x + w <= 24, `${panel.title}: wider than the page`);
    for (const { expr } of panel.targets) {
      for (const [name] of matches(expr, /\$(?!__)(\w+)/g)) assert.ok(variables.has(name), `${panel.title}: $${name}`);
    }
  }
});

test('every alert says what happened and what to do, and is tried', () => {
  const tried = read('rules_test.yml');
  const alerts = rules.split(/^ +- alert: /m).slice(1);
  assert.ok(alerts.length > 12);
  for (const alert of alerts) {
    const name = alert.split('\n', 1)[0];
    for (const key of ['summary', 'description', 'runbook']) {
      assert.match(alert, new RegExp(`^ +${key}: .{20}`, 'm'), `${name}: ${key}`);
    }
    assert.match(alert, /^ +labels: \{severity: (page|ticket)\}$/m, name);
    assert.ok(tried.includes(`labels: 'ALERTS{alertname="${name}"`), `${name}: no test in which it fires`);
    assert.ok(tried.includes(`{expr: 'ALERTS{alertname="${name}", alertstate="firing"}'`), `${name}: no test in which it is quiet`);
  }
});

test('no expression looks for an organisation, a unit or a person', () => {
  const allowed = ['alertname', 'alertstate', 'instance', 'job', 'kind', 'le', 'reason', 'version'];
  const texts = [...expressions, ...queries(JSON.parse(read('dashboard.json'))).map(([, expr]) => expr)];
  for (const text of texts) {
    for (const [label] of matches(text, /[{,] ?(\w+)(?:=~|!=|=)"/g)) assert.ok(allowed.includes(label), `${label} in ${text}`);
  }
});

test('Prometheus takes the configuration and the rules, and the alerts fire as they should', () => {
  done('promtool', ['check', 'config', 'prometheus.yml']);
  done('promtool', ['test', 'rules', 'rules_test.yml']);
});
