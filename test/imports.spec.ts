import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..');
const DEPCRUISE = join(ROOT, 'node_modules/.bin/depcruise');

/** Source files, each as its path and what it imports. */
type Files = Record<string, string[]>;

/** A project that the rules have nothing against; every file of it can be reached from main. */
const GOOD: Files = {
  'src/main.ts': ['./api', './config/settings'],
  'src/api.ts': ['./app.module'],
  'src/app.module.ts': ['./tickets/tickets.module', './users/users.module'],
  'src/tickets/tickets.module.ts': ['./tickets.service', '../users/users.module'],
  'src/tickets/tickets.service.ts': ['../users/users.service', '../inventory/inventory.service'],
  'src/users/users.module.ts': ['./users.service'],
  'src/users/users.service.ts': ['./users.repository', '../problems/problem'],
  'src/users/users.repository.ts': ['../database/statements'],
  'src/inventory/inventory.service.ts': ['../config/settings'],
  'src/database/statements.ts': [],
  'src/problems/problem.ts': [],
  'src/config/settings.ts': [],
};

describe('npm run lint:imports', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
      cpSync(join(ROOT, file), join(folder, file));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The names of the rules that the files break, and what breaks them. */
  function broken(files: Files): string[] {
    for (const [path, imports] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      const lines = imports.map((target, i) => `import { x as x${i} } from '${target}';`);
      writeFileSync(join(folder, path), [...lines, 'export const x = 1;', ''].join('\n'));
    }
    const { stdout } = spawnSync(DEPCRUISE, ['src', '--output-type', 'json'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const { summary } = JSON.parse(stdout) as {
      summary: { violations: { rule: { name: string }; from: string; to: string }[]; totalCruised: number };
    };
    expect(summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(files).length);
    return summary.violations
      .map(({ rule, from, to }) => `${rule.name}: ${from === to ? to : `${from} -> ${to}`}`)
      .sort();
  }

  it('finds every import that does not go down the line, and has nothing against those that do', () => {
    const bad: Files = {
      ...GOOD,
      'src/main.ts': ['./api', './worker', './config/settings', './surprise/pay'],
      'src/worker.ts': ['./api'],
      'src/tickets/tickets.module.ts': [
        './tickets.service',
        '../users/users.module',
        '../users/users.service',
      ],
      'src/tickets/tickets.service.ts': ['../users/users.repository', '../inventory/inventory.service'],
      'src/users/users.service.ts': [
        './users.module',
        './users.repository',
        '../tickets/tickets.service',
        '../problems/problem',
      ],
      'src/problems/problem.ts': ['../database/statements'],
      'src/http/forgotten.ts': [],
      'src/surprise/pay.ts': [],
    };
    expect(broken(bad)).toEqual([
      'has-a-place-on-the-line: src/main.ts -> src/surprise/pay.ts',
      'no-cycles: src/users/users.module.ts -> src/users/users.service.ts',
      'no-orphans: src/http/forgotten.ts',
      'problems-imports-downwards: src/problems/problem.ts -> src/database/statements.ts',
      'users-imports-downwards: src/users/users.service.ts -> src/tickets/tickets.service.ts',
      'users-offers-its-service: src/tickets/tickets.service.ts -> src/users/users.repository.ts',
      'worker-imports-downwards: src/worker.ts -> src/api.ts',
    ]);
  });
});
