import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';

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

/** How many characters of a PDF's pages no font has: each shows glyph 0, an empty box. */
export function boxesIn(pdf: Buffer): number {
  const text = pdf.toString('latin1');
  const streams = [...text.matchAll(/\/FlateDecode\s*>>\s*stream\r?\n/g)].map(({ 0: { length }, index }) => {
    const start = index + length;
    return inflateSync(pdf.subarray(start, text.indexOf('endstream', start))).toString('latin1');
  });
  // `[<000100020000> 40 <0003>] TJ`: two bytes a glyph.
  const glyphs = streams.flatMap((stream) =>
    [...stream.matchAll(/\[([^\]]*)\] TJ/g)].flatMap(([, shown = '']) => shown.match(/[0-9a-f]{4}/gi) ?? []),
  );
  if (glyphs.length === 0) throw new Error('This reads no text of the PDF');
  return glyphs.filter((glyph) => glyph === '0000').length;
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
