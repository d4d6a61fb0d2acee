import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, YAML11_SCHEMA } from 'js-yaml';
import { readSettings, SETTING_NAMES, Settings } from './settings';

const ROOT = join(__dirname, '../..');
const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const sorted = (names: Iterable<string>) => [...names].sort();

const DEFAULTS = new Settings() as unknown as Record<string, string | number | string[] | undefined>;
/** As an environment would have it; undefined where there is none, or nothing in it. */
const defaultOf = (name: string) => {
  const value = DEFAULTS[name];
  return value === undefined || Array.isArray(value) ? undefined : String(value);
};

describe('the settings and', () => {
  it('the table of README.md name the same, with the same defaults', () => {
    const rows = [...textOf('README.md').matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) *\| ([^|]+?) *\|/gm)];
    const cells = rows.flatMap(([, names = '', cell = '']) => {
      const each = names.split(', ').map((name) => name.replaceAll('`', ''));
      const plain = cell.replaceAll('`', '');
      return each.map(
        (name, i) => [name, each.length > 1 ? (plain.split(', ')[i] ?? plain) : plain] as const,
      );
    });
    expect(sorted(cells.map(([name]) => name))).toEqual(sorted(SETTING_NAMES));
    for (const [name, cell] of cells) {
      const expected = defaultOf(name);
      if (expected === undefined)
        expect({ name, cell }).toEqual({ name, cell: expect.stringMatching(WITHOUT_DEFAULT) });
      else expect({ name, default: cell.split(': ', 1)[0] }).toEqual({ name, default: expected });
    }
  });

  it('.env.example name the same, with their defaults or an example that would do', () => {
    const lines = [...textOf('.env.example').matchAll(/^# ([A-Z_]+)=(.*)$/gm)];
    const examples = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));
    expect(sorted(Object.keys(examples))).toEqual(sorted(SETTING_NAMES));
    const { JWT_SECRET, TICKET_KEY_SECRET, ...valid } = examples;
    for (const [name, value] of Object.entries({ JWT_SECRET, TICKET_KEY_SECRET })) {
      expect(() => readSettings({ [name]: value })).toThrow(`${name} must `); // or somebody would keep it
    }
    expect(() => readSettings(valid)).not.toThrow();
    for (const name of SETTING_NAMES) {
      const expected = defaultOf(name);
      if (expected !== undefined) expect({ name, value: examples[name] }).toEqual({ name, value: expected });
    }
  });

  it.each([
    ['ADMIN_PASSWORD', { ADMIN_EMAIL: 'ada@example.com' }],
    ['STRIPE_SECRET_KEY', {}],
    ['STRIPE_WEBHOOK_SECRET', {}],
    ['SANDBOX_SECRET', {}],
    ['METRICS_TOKEN', {}],
    ['DATABASE_URL', {}],
  ])('%s of .env.example is refused in production', (name, others) => {
    const [, value] = new RegExp(`^# ${name}=(.*)$`, 'm').exec(textOf('.env.example')) ?? [];
    expect(() => readSettings({ NODE_ENV: 'production', ...others, [name]: value })).toThrow(
      new RegExp(`^${name} must not `),
    );
  });

  it('docker-compose.yml agree: it sets no other names, passes on what can be set, and has the same defaults', () => {
    const { services } = load(textOf('docker-compose.yml'), { schema: YAML11_SCHEMA }) as {
      services: Record<string, { image?: string; environment: Record<string, string | number> }>;
    };
    const ours = Object.values(services).filter(({ image }) => image === 'tixxety');
    expect(ours.length).toBeGreaterThan(2);
    const passed = ours.flatMap(({ environment }) => Object.entries(environment));
    const names = new Set(passed.map(([name]) => name));
    expect([...names].filter((name) => !SETTING_NAMES.includes(name))).toEqual([]);
    expect(SETTING_NAMES.filter((name) => !names.has(name) && !NOT_IN_COMPOSE.has(name))).toEqual([]);
    for (const [name, value] of passed) {
      const [, variable, otherwise] = /^\$\{(\w+):-(.*)\}$/.exec(String(value)) ?? [];
      if (variable === undefined) continue;
      const expected = name === 'QUEUE_DASHBOARD' ? 'off' : (defaultOf(name) ?? ''); // unset, it is off in production
      expect({ name, variable, otherwise }).toEqual({ name, variable: name, otherwise: expected });
    }
  });
});

/** How the table says that a setting has none, or one that depends on others. */
const WITHOUT_DEFAULT = /^(unset|none|outside production|off in production)\b/;
/** What the image has its own of: what the Dockerfile sets, the port that is published, and a database elsewhere. */
const NOT_IN_COMPOSE = new Set([
  ...[...textOf('Dockerfile').matchAll(/^(?:ENV | {4})([A-Z_]+)=/gm)].map(([, name = '']) => name),
  'PORT',
  'DATA_DIR',
]);
