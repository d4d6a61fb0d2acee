import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collectionOf, type Document } from './collection';
import { readArguments, runScript, say, ScriptError } from '../run-script';

const FOLDER = 'bruno';

const HELP = `Usage: npm run bruno          write the Bruno collection in ${FOLDER}/ from openapi.json
       npm run bruno:check    fail when they differ
`;

runScript(async () => {
  const { values } = readArguments({ check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } });
  if (values.help) say(HELP);
  else if (values.check) await check();
  else await write();
});

async function write(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
  for (const [path, content] of Object.entries(await describe())) {
    await mkdir(dirname(join(FOLDER, path)), { recursive: true });
    await writeFile(join(FOLDER, path), content);
  }
  say(`Wrote ${FOLDER}/.`);
}

async function check(): Promise<void> {
  const wanted = await describe();
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length + 1));
  const contents = await Promise.all(found.map((path) => readFile(join(FOLDER, path), 'utf8')));
  const isSame =
    found.length === Object.keys(wanted).length && found.every((path, i) => contents[i] === wanted[path]);
  if (!isSame)
    throw new ScriptError(`${FOLDER}/ and openapi.json differ: run \`npm run bruno\` and commit it.`);
  say(`${FOLDER}/ and openapi.json agree.`);
}

async function describe(): Promise<Record<string, string>> {
  return collectionOf(JSON.parse(await readFile('openapi.json', 'utf8')) as Document);
}
