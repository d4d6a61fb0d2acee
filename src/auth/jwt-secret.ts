import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../config/make-folder';
import type { Settings } from '../config/settings';
import { StartupError } from '../config/startup-error';

const FILE = 'jwt-secret';
/** Of 32 bytes in base64url. */
const SECRET_LENGTH = 43;

/**
 * The settings with a `JWT_SECRET`: outside production one that is made at the first start and kept under `DATA_DIR`,
 * where none is set.
 *
 * @throws {StartupError} when there is none and none can be made
 */
export async function withJwtSecret(settings: Settings): Promise<Settings> {
  if (settings.JWT_SECRET) return settings;
  if (settings.NODE_ENV === 'production') {
    throw new StartupError(
      'JWT_SECRET is not set: in production set it to at least 32 random bytes, the same for every API process; ' +
        '`openssl rand -base64 32` makes some.',
    );
  }
  try {
    return { ...settings, JWT_SECRET: [await keptSecret(settings.DATA_DIR)] };
  } catch (error) {
    throw new StartupError(
      `JWT_SECRET is not set, and none can be kept in DATA_DIR ${settings.DATA_DIR} (${(error as Error).message}): ` +
        'set JWT_SECRET, or DATA_DIR to a folder that can be written.',
    );
  }
}

async function keptSecret(folder: string): Promise<string> {
  const file = join(folder, FILE);
  await makeOnce(folder, file);
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret.length < SECRET_LENGTH)
    throw new Error(`${file} holds no secret any more; delete it for a new one`);
  return secret;
}

/** Linked when it is complete: of processes that start at once, one makes it and the others find it whole. */
async function makeOnce(folder: string, file: string): Promise<void> {
  if (existsSync(file)) return;
  await makeFolder(folder);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  await link(draft, file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  await rm(draft);
}
