import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

const FENCE = /^(```|~~~).*?^\1/gms;
const CODE = /`[^`\n]*`/g;
const COMMENT = /<!--.*?-->/gs;
/** `[text](target)`, also of pictures; `src="target"` and `srcset="target"` of HTML. */
const LINK = /\]\(\s*([^)\s]+)[^)]*\)|\b(?:src|srcset|href)="([^"\s]+)"/g;
/** A path of the project in a code span, such as `src/api.ts`; `test/e2e/identity` names all that begins so. */
const PATH = /^(?:src|test|scripts|migrations|docs|ops)\/[\w./-]*$/;
const HEADING = /^#{1,6} +(.+?) *#*$/gm;
const ABSOLUTE = /^[a-z][a-z+.-]*:/i;

/**
 * The links of a Markdown file that lead nowhere: the file is missing or lies outside the folder, or the heading is.
 * Addresses of other sites are not asked for.
 */
export function brokenLinks(file: string, folder: string): string[] {
  const text = proseOf(readFileSync(file, 'utf8'));
  const targets = [...text.matchAll(LINK)].map(([, markdown, html]) => markdown ?? html ?? '');
  return targets.filter((target) => !ABSOLUTE.test(target) && !leadsSomewhere(target, file, folder));
}

/** The paths in a Markdown file's code spans that name no file or folder of the project. */
export function brokenPaths(file: string, folder: string): string[] {
  const text = readFileSync(file, 'utf8').replace(FENCE, '').replace(COMMENT, '');
  const paths = [...text.matchAll(CODE)].map(([span]) => span.slice(1, -1)).filter((span) => PATH.test(span));
  return paths.filter((path) => !isThere(join(folder, path)));
}

const isThere = (path: string) =>
  existsSync(path) ||
  (existsSync(dirname(path)) && readdirSync(dirname(path)).some((name) => name.startsWith(basename(path))));

function leadsSomewhere(target: string, file: string, folder: string): boolean {
  const [path = '', anchor] = target.split('#').map(decodeURIComponent);
  const to = path === '' ? file : join(dirname(file), path);
  if (relative(folder, to).startsWith('..') || !existsSync(to)) return false;
  if (anchor === undefined) return true;
  return statSync(to).isFile() && to.endsWith('.md') && anchorsOf(to).includes(anchor);
}

/** The anchors of a file's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(FENCE, '');
  const seen = new Map<string, number>();
  return [...text.matchAll(HEADING)].map(([, heading = '']) => {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

const proseOf = (text: string) => text.replace(FENCE, '').replace(COMMENT, '').replace(CODE, '');
