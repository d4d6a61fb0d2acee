import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { settingsFor } from '../src/database/session-settings';
import { brokenLinks, brokenPaths } from './support/markdown';

const ROOT = join(__dirname, '..');
/** Not written by us, or made anew at each build. */
const OTHERS = new Set(['node_modules', 'dist', 'dist-test', 'coverage', '.git', '.tixxety']);

describe('the links of the documentation', () => {
  it.each(markdownFiles(ROOT).map((file) => relative(ROOT, file)))('of %s lead somewhere', (file) => {
    expect(brokenLinks(join(ROOT, file), ROOT)).toEqual([]);
  });

  it.each(markdownFiles(ROOT).map((file) => relative(ROOT, file)))(
    'and the paths that %s names exist',
    (file) => {
      expect(brokenPaths(join(ROOT, file), ROOT)).toEqual([]);
    },
  );

  it('are looked for in every page', () => {
    const pages = markdownFiles(ROOT).map((file) => relative(ROOT, file));
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'SECURITY.md', 'docs/OPERATIONS.md']));
  });
});

describe('the runbook', () => {
  it('tells a pooler all that a session is told, but for what each process sees to itself', () => {
    const runbook = readFileSync(join(ROOT, 'docs/OPERATIONS.md'), 'utf8');
    const [, query = ''] = /connect_query='([^']+)'/.exec(runbook) ?? [];
    const told = [...query.matchAll(/SET (\w+) = ([\w.]+)/g)].map(([, name = '', value]) => [name, value]);
    const notTold = [...Object.keys(settingsFor('tool')), 'idle_session_timeout']; // a pooler has idle sessions
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(settingsFor('api')).filter(([name]) => !notTold.includes(name))),
    );
  });
});

describe('the routes of README.md', () => {
  const [, section = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n## Routes\n');
  const [table = '', after = ''] = section.split('\n\nDetails, ');
  const { paths } = JSON.parse(readFileSync(join(ROOT, 'openapi.json'), 'utf8')) as {
    paths: Record<string, object>;
  };
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );

  it('are those of openapi.json, and those that README.md says it leaves out', () => {
    const [, list = ''] = /are in neither: (.+?)\.\n\n/s.exec(after) ?? [];
    const leftOut = [...list.matchAll(/`(\/\S+)`/g)].map(([, path = '']) => `GET ${path}`);
    expect(leftOut).toContain('GET /health/ready');
    const shown = [...table.matchAll(/^\| (`.+?`) +\|/gm)].flatMap(([, cell = '']) => routesIn(cell));
    expect([...new Set(shown)].sort()).toEqual([...documented, ...leftOut].sort());
  });

  /** Of "`GET`, `POST /a/b?c=`, `…/d`": a path for each method, and one that goes on from `/a/b`, `/a` or `/a/b.c`. */
  function routesIn(cell: string): string[] {
    let methods: string[] = [];
    let path = '';
    return [...cell.matchAll(/`([A-Z]+)? ?([^`?]*)[^`]*`/g)].flatMap(([, method, text = '']) => {
      if (method !== undefined) methods = [...(path === '' ? methods : []), method];
      path = text.startsWith('…') ? goingOn(methods, path, text.slice(1)) : text.replace(/(?<=.)\/$/, '');
      return path === '' ? [] : methods.map((name) => `${name} ${path}`);
    });
  }

  const goingOn = ([method]: string[], path: string, rest: string) =>
    [path, path.replace(/\/[^/]+$/, ''), path.replace(/\.\w+$/, '')]
      .map((start) => start + rest)
      .find((route) => documented.includes(`${method} ${route}`)) ?? rest;
});

describe('what operators read', () => {
  it.each([
    'docs/OPERATIONS.md',
    'docs/MONITORING.md',
    'ops/prometheus-alerts.yml',
    'ops/grafana-dashboard.json',
  ])('in %s names commands that need no development packages', (file) => {
    const commands = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/npm run ([\w:-]+)/g)];
    const ofDevelopers = ['build', 'migration:generate', 'test:chaos'];
    expect(commands.map(([, name = '']) => name).filter((name) => !ofDevelopers.includes(name))).toEqual([]);
  });
});

describe('the dashboard', () => {
  interface Panel {
    id: number;
    gridPos: { x: number; y: number; w: number; h: number };
  }
  const dashboard = readFileSync(join(ROOT, 'ops/grafana-dashboard.json'), 'utf8');
  const { panels } = JSON.parse(dashboard) as { panels: Panel[] };

  it('gives each panel an id and a place of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)}, ${y + Math.floor(i / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
  });

  it('draws what alerts watch', () => {
    const alerts = readFileSync(join(ROOT, 'ops/prometheus-alerts.yml'), 'utf8');
    const watched = new Set(alerts.match(/\btixxety_[a-z_]+/g));
    expect(watched.size).toBeGreaterThan(10);
    expect([...watched].filter((name) => !dashboard.includes(name))).toEqual([]);
  });
});

describe('a page', () => {
  let folder: string;
  let page: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    page = join(folder, 'page.md');
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/api.ts'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const broken = (text: string) => {
    const heading = '# A page, with `code`\n\n## Twice\n\n## Twice\n';
    writeFileSync(page, `${heading}\n\`\`\`sh\n# no heading\n\`\`\`\n\n${text}\n`);
    return brokenLinks(page, folder);
  };

  it.each([
    '[itself](page.md), [a heading](#a-page-with-code), [the second of two](page.md#twice-1)',
    '[elsewhere](https://example.com/x#y), <a href="mailto:a@example.com">a</a>',
    '`[in code](gone.md)`, <!-- [in a comment](gone.md) -->\n\n```md\n[in a block](gone.md)\n```',
  ])('may link to what is there: %s', (text) => {
    expect(broken(text)).toEqual([]);
  });

  it.each([
    ['[a file](gone.md)', 'gone.md'],
    ['![a picture](gone.svg "title")', 'gone.svg'],
    ['<source srcset="gone-dark.svg">', 'gone-dark.svg'],
    ['[a heading](#gone)', '#gone'],
    ['[one in a code block](#no-heading)', '#no-heading'],
    ['[a third of two](page.md#twice-2)', 'page.md#twice-2'],
    ['[out of the project](../secret.md)', '../secret.md'],
  ])('is told of a link that leads nowhere: %s', (text, target) => {
    expect(broken(text)).toEqual([target]);
  });

  it('is told of a path that is not there', () => {
    writeFileSync(
      page,
      'See `src/api.ts`, `src/ap`, `src/` and `dist/src/main.js`; not `src/app.ts`, `test/x`.\n',
    );
    expect(brokenPaths(page, folder)).toEqual(['src/app.ts', 'test/x']);
  });
});

describe('the picture of the house', () => {
  const check = (folder: string) =>
    spawnSync(process.execPath, ['scripts/architecture.mjs', '--check'], { cwd: folder, encoding: 'utf8' });

  it('shows the line that imports run down', () => {
    expect(check(ROOT)).toMatchObject({ status: 0, stderr: '' });
  });

  it('is told of a place that it lacks', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    for (const file of ['.dependency-cruiser.cjs', 'scripts/architecture.mjs', 'docs/ARCHITECTURE.md']) {
      cpSync(join(ROOT, file), join(folder, file));
    }
    const rules = join(folder, '.dependency-cruiser.cjs');
    writeFileSync(rules, readFileSync(rules, 'utf8').replace("['queue'],", "['queue'],\n  ['mail'],"));
    expect(check(folder)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npm run architecture'),
    });
    rmSync(folder, { recursive: true });
  });
});

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (OTHERS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
