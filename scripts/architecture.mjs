import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const HELP = `Usage: npm run architecture             draw the house in docs/ARCHITECTURE.md from the line of imports
       npm run architecture -- --check  fail when they differ
`;
const PAGE = 'docs/ARCHITECTURE.md';
const RULE = /^(.+)-imports-downwards$/;
const BLOCK = /(?<=<!-- house:begin -->\n).*?(?=<!-- house:end -->)/s;

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) end(0, HELP);
const unknown = args.find((arg) => arg !== '--check');
if (unknown !== undefined) end(1, `Unexpected argument '${unknown}'. See --help.\n`);

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
if (!BLOCK.test(page)) end(1, `${PAGE} has no place for the picture of the house.\n`);
const drawn = page.replace(BLOCK, () => picture);
if (args.length === 0) writeFileSync(PAGE, drawn);
else if (drawn !== page)
  end(1, `${PAGE} and .dependency-cruiser.cjs differ: run \`npm run architecture\` and commit the page.\n`);

function end(code, message) {
  (code === 0 ? process.stdout : process.stderr).write(message);
  process.exit(code);
}
