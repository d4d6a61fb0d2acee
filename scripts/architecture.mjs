// Draws the house in docs/ARCHITECTURE.md from the import line of .dependency-cruiser.cjs; with --check only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const PAGE = 'docs/ARCHITECTURE.md';
const RULE = /^(.+)-imports-downwards$/;
const BLOCK = /(?<=<!-- house:begin -->\n).*?(?=<!-- house:end -->)/s;

const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');

/** The places of the line, from the top; those that stand beside each other are forbidden the same imports. */
const levels = new Map();
for (const { name, to } of forbidden) {
  const place = RULE.exec(name)?.[1];
  if (place !== undefined) levels.set(to.path, [...(levels.get(to.path) ?? []), place]);
}

const lines = [...levels.values()].flatMap((places, height) => [
  `  level${height}["${places.join(' · ')}"]`,
  ...(height > 0 ? [`  level${height - 1} --> level${height}`] : []),
]);
const picture = ['', '```mermaid', 'flowchart TD', ...lines, '```', '', ''].join('\n');

const page = readFileSync(PAGE, 'utf8');
if (!BLOCK.test(page)) throw new Error(`${PAGE} has no place for the picture of the house.`);
const drawn = page.replace(BLOCK, () => picture);
if (!process.argv.includes('--check')) writeFileSync(PAGE, drawn);
else if (drawn !== page) {
  process.stderr.write(
    `${PAGE} and .dependency-cruiser.cjs differ: run \`npm run architecture\` and commit the page.\n`,
  );
  process.exitCode = 1;
}
