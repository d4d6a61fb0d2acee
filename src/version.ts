import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The nearest package.json above: one folder up from the sources, two from the build. */
function readVersion(folder: string): string {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return readVersion(join(folder, '..'));
  }
}

/** The version of this build, from package.json. */
export const VERSION = readVersion(__dirname);
