import { readFile, writeFile } from 'node:fs/promises';
import { NestFactory } from '@nestjs/core';
import { ApiModule } from '../src/app.module';
import { Settings } from '../src/config/settings';
import { TixxetyDataSource } from '../src/database/tixxety-data-source';
import { createDocument } from '../src/openapi/document';
import { readArguments, runScript, say, ScriptError } from './run-script';

const FILE = 'openapi.json';

const HELP = `Usage: npm run openapi          write ${FILE} from the routes
       npm run openapi:check    fail when ${FILE} and the routes differ
`;

runScript(async () => {
  const { values } = readArguments({ check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } });
  if (values.help) say(HELP);
  else if (values.check) await check();
  else await write();
});

async function write(): Promise<void> {
  await writeFile(FILE, await describe());
  say(`Wrote ${FILE}.`);
}

async function check(): Promise<void> {
  if ((await readFile(FILE, 'utf8')) !== (await describe())) {
    throw new ScriptError(`${FILE} and the routes differ: run \`npm run openapi\` and commit the file.`);
  }
  say(`${FILE} and the routes agree.`);
}

/** The document of an application whose parts are never made, so that it needs neither database nor Redis. */
async function describe(): Promise<string> {
  const settings = new Settings();
  const database = new TixxetyDataSource(settings, 'tool');
  const app = await NestFactory.create(ApiModule.register(settings, database), {
    abortOnError: false,
    logger: false,
    preview: true,
  });
  return `${JSON.stringify(createDocument(app), null, 2)}\n`;
}
