import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { load } from 'js-yaml';
import type { Sample } from './exposition';

const OPS = join(__dirname, '../../ops');

interface AlertRules {
  groups: { rules: { alert: string; expr: string; labels: object; annotations: object }[] }[];
}

export function alertRules() {
  const { groups } = load(readFileSync(join(OPS, 'prometheus-alerts.yml'), 'utf8')) as AlertRules;
  return groups.flatMap(({ rules }) => rules);
}

export function expressionsOfAlerts(): string[] {
  return alertRules().map((rule) => {
    expect(rule).toMatchObject({
      alert: expect.stringMatching(/^Tixxety[A-Z]\w+$/),
      labels: { severity: expect.stringMatching(/^(critical|warning)$/) },
      annotations: { summary: expect.any(String), description: expect.any(String) },
    });
    return rule.expr;
  });
}

interface Dashboard {
  panels: { targets?: { expr: string }[] }[];
  templating: { list: { query: string | { query: string } }[] };
}

export function expressionsOfDashboard(): string[] {
  const { panels, templating } = JSON.parse(
    readFileSync(join(OPS, 'grafana-dashboard.json'), 'utf8'),
  ) as Dashboard;
  const variables = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : query.query));
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    // Of Grafana's own language: the metric and the label of which the values are wanted.
    ...variables.map((query) => query.replace(/^label_values\((\w+), (\w+)\)$/, 'sum by ($2) ($1)')),
  ].map((expression) => expression.replaceAll('$__rate_interval', '5m'));
}

/** What Prometheus and its scrape add by themselves. */
const ADDED = { names: ['up'], labels: ['job', 'instance', 'le'] };
/** Labels whose values are known only once there were such requests. */
const OPEN_LABELS = ['method', 'route'];

/** The metrics, labels and values of labels that an expression names and no process exports. */
export function unknownIn(expression: string, exported: Sample[]): string[] {
  const names = new Set([...ADDED.names, ...exported.map(({ name }) => name)]);
  const labels = new Set([...ADDED.labels, ...exported.flatMap((sample) => Object.keys(sample.labels))]);
  const unknown = { names: [] as string[], labels: [] as string[], matchers: [] as string[] };
  const textOf = ({ from, to }: { from: number; to: number }) => expression.slice(from, to);
  let metric = '';
  parser.parse(expression).iterate({
    enter: ({ type, node }) => {
      if (type.isError) throw new Error(`${expression} is no PromQL`);
      if (type.name === 'Identifier') {
        metric = textOf(node);
        if (!names.has(metric)) unknown.names.push(metric);
      }
      // Of a matcher, a label is looked at with its metric.
      if (type.name === 'LabelName' && node.parent?.name !== 'UnquotedLabelMatcher') {
        if (!labels.has(textOf(node))) unknown.labels.push(textOf(node));
      }
      if (type.name === 'UnquotedLabelMatcher' && names.has(metric)) {
        if (!isMatched(textOf(node), metric, exported)) unknown.matchers.push(`${metric}{${textOf(node)}}`);
      }
    },
  });
  return [...unknown.names, ...unknown.labels.sort(), ...unknown.matchers];
}

/** Whether the metric has a series with that label and, for an equation, that value. */
function isMatched(matcher: string, metric: string, exported: Sample[]): boolean {
  const [, label = '', operator, value] = /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(matcher) ?? [];
  if (ADDED.labels.includes(label)) return true;
  return exported.some(({ name, labels }) => {
    const own = name === metric ? labels[label] : undefined;
    return own !== undefined && (operator !== '=' || OPEN_LABELS.includes(label) || own === value);
  });
}
