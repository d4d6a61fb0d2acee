import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { readSettings } from '../src/config/settings';
import { connectionError } from '../src/database/connection-error';
import { startEmbeddedPostgres } from '../src/database/embedded/embedded-postgres';
import { createExpressServer } from '../src/http/http-adapter';
import { urlOf } from '../src/http/running-server';
import { sandboxRouter } from '../src/payments/sandbox/server/router';
import { Sandbox } from '../src/payments/sandbox/server/sandbox';
import { endSignal, readArguments, runScript, say, ScriptError } from './run-script';

const HELP = `Usage: node dist/scripts/sandbox.js [options]

Runs the payment sandbox as a process of its own. The API then needs SANDBOX_URL, the address with /sandbox, and the same
SANDBOX_SECRET.

Options:
  --port PORT        where to listen on 127.0.0.1, whatever the setting PORT says, which counts without it; 0: any free port
  --events-to URL    (required) where events go, such as http://127.0.0.1:8000/payments/events/sandbox; several take turns
  -h, --help         show this help

Its books are in the schema \`sandbox\` of DATABASE_URL, or else of the embedded PostgreSQL under DATA_DIR.
`;

runScript(async () => {
  const { values } = readArguments({
    port: { type: 'string' },
    'events-to': { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help) {
    say(HELP);
    return;
  }
  const settings = readSettings();
  const { NODE_ENV, SANDBOX_SECRET: secret, DATABASE_URL, DATA_DIR, PORT } = settings;
  if (NODE_ENV === 'production')
    throw new ScriptError('The sandbox takes no real money: it does not run in production.');
  if (secret === undefined)
    throw new ScriptError('SANDBOX_SECRET is not set: give the sandbox and the API the same.');
  const eventsUrls = values['events-to'] ?? [];
  if (eventsUrls.length === 0 || !eventsUrls.every((text) => URL.canParse(text)))
    throw new ScriptError('--events-to must be a URL. See --help.');
  const port = Number(values.port ?? PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ScriptError('--port must be a whole number from 0 to 65535.');

  const postgres =
    DATABASE_URL === undefined
      ? await startEmbeddedPostgres({ dataDir: DATA_DIR, exclusive: false, say })
      : undefined;
  const databaseUrl = DATABASE_URL ?? postgres?.url ?? '';
  let url = '';
  let sent = 0;
  const sandbox = new Sandbox({
    databaseUrl,
    secret,
    url: () => url,
    eventsUrl: () => eventsUrls[sent++ % eventsUrls.length] as string,
  });
  const close = async () => {
    await sandbox.stop();
    await postgres?.stop();
  };
  await sandbox.open().catch(async (error: unknown) => {
    await close();
    throw connectionError(error, databaseUrl);
  });
  const app = express().disable('x-powered-by').disable('etag').use('/sandbox', sandboxRouter(sandbox));
  const server = createExpressServer(app).listen(port, '127.0.0.1');
  await once(server, 'listening').catch(async (error: unknown) => {
    await close();
    const { code } = error as NodeJS.ErrnoException;
    throw new ScriptError(`Port ${port} can't be listened on (${code}): name another with --port.`);
  });
  // Longer than callers keep a connection.
  server.keepAliveTimeout = 65_000;
  url = `${urlOf(server.address() as AddressInfo)}/sandbox`;
  say(`The sandbox listens at ${url}`);
  await endSignal();
  server.close();
  server.closeAllConnections();
  await close();
});
