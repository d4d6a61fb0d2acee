import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { StartupError } from './startup-error';

/**
 * The environment, with what `.env` of the working folder adds to it.
 *
 * @throws {StartupError} when the file can't be read
 */
export function environmentWithDotEnv(): NodeJS.ProcessEnv {
  for (const [name, value] of Object.entries(parseEnv(readDotEnv()))) process.env[name] ??= value;
  return process.env;
}

function readDotEnv(): string {
  try {
    return decode(readFileSync('.env'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new StartupError(`.env could not be read: ${(error as Error).message}.`);
  }
}

/** Editors and shells of Windows begin a file with a mark of its encoding, which may be UTF-16. */
function decode(bytes: Buffer): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  if (text.includes('\0')) throw new Error('it is no text in UTF-8');
  return text;
}
