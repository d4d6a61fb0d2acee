import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../config/settings';
import { StartupError } from '../config/startup-error';
import { withJwtSecret } from './jwt-secret';

describe('JWT_SECRET', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const secretOf = async (environment: Record<string, string>) =>
    (await withJwtSecret(readSettings(environment))).JWT_SECRET;

  it('is taken as it is set', async () => {
    const secrets = ['the-new-one-of-this-test-9f8e7d6c5b', 'the-old-one-of-this-test-1a2b3c4d5e'];
    expect(await secretOf({ DATA_DIR: folder, JWT_SECRET: secrets.join(', ') })).toEqual(secrets);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is made once where none is set, however many ask at once, and only its owner may read it', async () => {
    const DATA_DIR = join(folder, 'data');
    const made = await Promise.all(Array.from({ length: 10 }, () => secretOf({ DATA_DIR })));
    expect(new Set(made.flat()).size).toBe(1);
    expect(made[0]?.[0]).toMatch(/^[\w-]{43}$/);
    expect(await secretOf({ DATA_DIR })).toEqual(made[0]);
    expect(readdirSync(DATA_DIR)).toEqual(['jwt-secret']);
    expect(readFileSync(join(DATA_DIR, 'jwt-secret'), 'utf8')).toBe(`${made[0]?.[0]}\n`);
    expect(statSync(join(DATA_DIR, 'jwt-secret')).mode & 0o777).toBe(0o600);
  });

  it('is not taken from a file that lost it', async () => {
    writeFileSync(join(folder, 'jwt-secret'), '\n');
    await expect(secretOf({ DATA_DIR: folder })).rejects.toThrow(
      /jwt-secret holds no secret any more; delete it/,
    );
  });

  it('must be set in production', async () => {
    const attempt = secretOf({ NODE_ENV: 'production', DATA_DIR: folder });
    await expect(attempt).rejects.toThrow(StartupError);
    await expect(attempt).rejects.toThrow(/^JWT_SECRET is not set: in production /);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('must be set where none can be kept', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(secretOf({ DATA_DIR: join(folder, 'file') })).rejects.toThrow(
      /^JWT_SECRET is not set, and none can be kept in DATA_DIR .+: set JWT_SECRET, or DATA_DIR /,
    );
  });
});
