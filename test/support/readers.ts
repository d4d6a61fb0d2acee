import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What ZBar reads in the codes of a picture; nothing where it finds none. (Debian's package is `zbar-tools`.) */
export async function codesIn(picture: Uint8Array): Promise<string[]> {
  return await withFile(picture, async (file) => {
    try {
      const { stdout } = await run('zbarimg', ['--quiet', '--raw', '--nodbus', file]);
      return stdout.trim().split('\n');
    } catch (error) {
      if ((error as { code?: unknown }).code === 4) return [];
      throw error;
    }
  });
}

/** The pages of a PDF as PNGs, as Poppler draws them. (Debian's package is `poppler-utils`.) */
export async function pagesOf(pdf: Uint8Array, dotsPerInch = 100): Promise<Buffer[]> {
  return await withFile(pdf, async (file, folder) => {
    await run('pdftoppm', ['-r', String(dotsPerInch), '-png', file, join(folder, 'page')]);
    const names = (await readdir(folder)).filter((name) => name.startsWith('page')).sort();
    return await Promise.all(names.map((name) => readFile(join(folder, name))));
  });
}

/** The text of a PDF, and the sizes of its pages in points. */
export async function textOf(pdf: Uint8Array): Promise<{ text: string; sizes: string[] }> {
  return await withFile(pdf, async (file) => {
    const { stdout: text } = await run('pdftotext', ['-layout', file, '-']);
    const { stdout: info } = await run('pdfinfo', ['-l', '999', file]);
    const sizes = [...info.matchAll(/^Page +\d+ size: +([\d.]+ x [\d.]+)/gm)].map(([, size = '']) => size);
    return { text, sizes };
  });
}

async function withFile<Result>(
  content: Uint8Array,
  use: (file: string, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'tixxety-reader-'));
  try {
    const file = join(folder, 'document');
    await writeFile(file, content);
    return await use(file, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
