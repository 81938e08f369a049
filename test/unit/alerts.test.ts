import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alertGuide, alertRules, alertTests } from '../fixtures/monitoring-files.ts';
import { noPrometheus, PROMETHEUS_FILES, promtool } from '../fixtures/prometheus.ts';

/** The text of each alert, by its name. */
const ALERTS = new Map(
  alertRules()
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text]),
);

test('each alert says what is wrong, how soon it is wanted, what to do, and where the guide says more', () => {
  expect(ALERTS.size).toBeGreaterThan(20);
  const guide = alertGuide();
  for (const [name, text] of ALERTS) {
    expect(text, name).toMatch(/^ {8}labels: \{ severity: (page|ticket) \}$/m);
    expect(text, name).toMatch(/^ {10}summary: .{10}/m);
    expect(text, name).toMatch(/^ {10}action: .{10}/m);
    expect(text, name).toContain(`guide: deploy/guide/alerts.md#${name.toLowerCase()}`);
    const severity = /severity: (\w+)/.exec(text)?.[1];
    expect(guide, name).toContain(`\n### ${name}\n\n\`${severity}\`. `);
  }
  const told = [...guide.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(told).toEqual([...ALERTS.keys()]);
});

test('each alert is tried: once silent, once firing', () => {
  const tests = alertTests();
  for (const name of ALERTS.keys()) {
    const tries = tests.split('\n').filter((line) => line.includes(`alertname="${name}"`));
    expect(
      tries.some((line) => line.includes('exp_samples: []')),
      name,
    ).toBe(true);
    expect(
      tries.some((line) => line.includes('value: 1')),
      name,
    ).toBe(true);
  }
});

const withPromtool = test.skipIf(noPrometheus !== null);
const because = noPrometheus === null ? '' : ` (${noPrometheus})`;

withPromtool(
  `promtool takes configuration and rules, and the rules do as their tests say${because}`,
  async () => {
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ]) {
      const [verb = '', what = '', file = ''] = args;
      const { ok, output } = await promtool([verb, what, join(PROMETHEUS_FILES, file)]);
      expect(ok, output).toBe(true);
    }
  },
);
