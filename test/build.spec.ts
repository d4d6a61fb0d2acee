import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(__dirname, '..');
const TIME_FOR_BUILDS = 120_000;

/** Counts how often the built program is not there, until its input ends. */
const WATCH = `
  const { existsSync } = require('node:fs');
  let missed = 0;
  let isOver = false;
  console.log('looking');
  process.stdin.on('end', () => { isOver = true; }).resume();
  const look = () => {
    for (let i = 0; i < 1000; i++) if (!existsSync('dist/src/main.js')) missed++;
    if (isOver) console.log(missed); else setImmediate(look);
  };
  look();`;

describe('scripts/run.mjs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    for (const file of [
      'scripts/build.mjs',
      'scripts/run.mjs',
      'nest-cli.json',
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
    ]) {
      cpSync(join(ROOT, file), join(folder, file));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    write('src/main.ts', `console.log('one', process.argv.slice(2).join());`);
    write('src/other.ts', 'export const other = 1;');
    write('src/other.spec.ts', 'export const notBuilt = 1;');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }

  async function run(...args: string[]) {
    const child = spawn(process.execPath, ['scripts/run.mjs', ...args], { cwd: folder });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return { code, stdout, stderr };
  }

  const has = (file: string) => existsSync(join(folder, file));

  /** How often the built program was missing while `work` went on. */
  async function missingDuring(work: () => Promise<unknown>): Promise<number> {
    const child = spawn(process.execPath, ['-e', WATCH], { cwd: folder });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child.stdout, 'data');
    await work();
    child.stdin.end();
    await once(child, 'close');
    return Number(output.replace('looking\n', ''));
  }

  it(
    'builds what has changed, without ever taking the program away, and nothing else',
    async () => {
      const program = 'dist/src/main.js';
      const building = 'Building dist ...\n';
      // Left by a build that was killed.
      writeFileSync(join(folder, 'dist.lock'), String(spawnSync('true').pid));
      expect(await run(program, 'a', '-b')).toEqual({ code: 0, stdout: 'one a,-b\n', stderr: building });
      expect([has('dist/src/other.js'), has('dist/src/other.spec.js')]).toEqual([true, false]);
      expect(await run(program)).toEqual({ code: 0, stdout: 'one \n', stderr: '' });
      write('src/other.spec.ts', 'export const notBuilt = 2;');
      expect(await run()).toEqual({ code: 0, stdout: '', stderr: '' });

      write('src/main.ts', `console.log('two', process.argv.slice(2).join());`);
      rmSync(join(folder, 'src/other.ts'));
      expect(await run(program, '--help')).toEqual({ code: 0, stdout: 'one --help\n', stderr: '' });
      const missing = await missingDuring(async () => {
        const both = await Promise.all([run(), run()]);
        expect(both.map(({ code }) => code)).toEqual([0, 0]);
        expect(both.filter(({ stderr }) => stderr.includes(building))).toHaveLength(1);
      });
      expect(missing).toBe(0);
      expect(has('dist/src/other.js')).toBe(false);
      expect(await run(program)).toEqual({ code: 0, stdout: 'two \n', stderr: '' });
      expect(['dist.new', 'dist.lock'].filter(has)).toEqual([]);

      write('src/main.ts', 'const wrong: string = 1;');
      const failed = await run(program);
      expect(failed).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('TS2322'),
      });
      expect(failed.stderr).toMatch(/\nThe build failed; [^\n]+\.\n$/);
      expect(readFileSync(join(folder, program), 'utf8')).toContain('two');
    },
    TIME_FOR_BUILDS,
  );

  it('control: a program that is away for a moment is noticed', async () => {
    const missing = await missingDuring(async () => {
      const [there, away] = [join(folder, 'dist/src/main.js'), join(folder, 'away.js')];
      for (let i = 0; i < 100; i++) {
        renameSync(there, away);
        await sleep(1);
        renameSync(away, there);
      }
    });
    expect(missing).toBeGreaterThan(0);
  });

  it('says what is missing where there is no compiler', async () => {
    rmSync(join(folder, 'node_modules'));
    write('src/main.ts', 'console.log("four");');
    expect(await run('dist/src/main.js')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'The build is older than its sources, and the compiler is not installed: run `npm ci`.\n',
    });
  });
});
