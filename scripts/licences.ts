import { readFile } from 'node:fs/promises';
import { readArguments, runScript, say, ScriptError } from './run-script';

/** Fonts: they may be shipped with any software, and keep their licence when somebody changes them. */
const FONTS = 'OFL-1.1';

/** Licences that allow what ours does; an SPDX expression may join them. */
const PERMISSIVE =
  /^(0BSD|Apache-2\.0|BlueOak-1\.0\.0|BSD-2-Clause|BSD-3-Clause|ISC|MIT|PostgreSQL|Python-2\.0|Unlicense)$/;

interface Package {
  dev?: boolean;
  license?: string;
  /** How packages said it before SPDX. */
  licenses?: { type: string }[];
}

const HELP = `Usage: npm run licences

Fails when a package that is shipped has a licence which asks for more than to be named.
`;

runScript(async () => {
  const { values } = readArguments({ help: { type: 'boolean', short: 'h' } });
  if (values.help) {
    say(HELP);
    return;
  }
  const { packages } = await read<{ packages: Record<string, Package> }>('package-lock.json');
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  const refused: string[] = [];
  for (const [path, { license }] of shipped) {
    const licence = license ?? (await licenceIn(path));
    if (!isPermissive(licence)) refused.push(`${path.replace(/^.*node_modules\//, '')}: ${licence}`);
  }
  if (refused.length > 0) throw new ScriptError(`Not among the licences we ship:\n${refused.join('\n')}`);
  say(`${shipped.length} packages, all under permissive licences.`);
});

/** `A OR B` is as good as the better one, `A AND B` as the worse. */
function isPermissive(expression: string): boolean {
  const choices = expression.replace(/[()]/g, '').split(' OR ');
  return choices.some((choice) =>
    choice.split(' AND ').every((name) => PERMISSIVE.test(name) || name === FONTS),
  );
}

/** What the package itself says, where package-lock.json says nothing. */
async function licenceIn(path: string): Promise<string> {
  const { licenses = [] } = await read<Package>(`${path}/package.json`);
  if (licenses.length > 0) return licenses.map(({ type }) => type).join(' AND ');
  const text = await readFile(`${path}/LICENSE`, 'utf8').catch(() => '');
  return text.startsWith('MIT License\n') ? 'MIT' : 'none';
}

async function read<Content>(file: string): Promise<Content> {
  return JSON.parse(await readFile(file, 'utf8')) as Content;
}
