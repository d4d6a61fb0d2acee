import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(__dirname, '../scripts/check-commits.mjs');

describe('npm run lint:commits', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    git('init', '--quiet', '--initial-branch=main');
    commit(`An old subject, longer than any is today ${'.'.repeat(72)}`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function git(...args: string[]): void {
    const identity = [
      '-c',
      'user.name=Ada',
      '-c',
      'user.email=ada@example.com',
      '-c',
      'commit.gpgsign=false',
    ];
    execFileSync('git', [...identity, ...args], { cwd: folder });
  }
  const commit = (message: string) => git('commit', '--quiet', '--allow-empty', `--message=${message}`);
  const check = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('has nothing against a subject and a body, nor against what was there before', () => {
    commit(`Embed ${'x'.repeat(66)}\n\nBecause.`);
    expect(check('main~1..main')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^1 commits /),
      stderr: '',
    });
  });

  it.each([
    [`Add ${'x'.repeat(69)}\n\nBecause.`, 'a subject of 73 characters'],
    ['Adds a thing\n\nBecause.', 'no imperative'],
    ['fix a thing\n\nBecause.', 'a capital letter'],
    ['Fix a thing.\n\nBecause.', 'a full stop'],
    ['Fix a thing', 'no body'],
    ['Fix a thing\n\n \n', 'no body'],
  ])('refuses %j', (message, problem) => {
    commit(message);
    const { status, stderr } = check('main~1..main');
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(problem) });
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says in a sentence that it does not know a range', () => {
    expect(check()).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^git does not know the range origin\/main\.\.HEAD; [^\n]+\n$/),
    });
  });
});
