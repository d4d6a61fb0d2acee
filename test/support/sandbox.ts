import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { SandboxProvider } from '../../src/payments/sandbox/sandbox.provider';
import { sandboxRouter } from '../../src/payments/sandbox/server/router';
import { Sandbox } from '../../src/payments/sandbox/server/sandbox';
import type { Switches } from '../../src/payments/sandbox/server/switches';
import { Client } from './client';

export const SANDBOX_SECRET = 'a-key-of-the-sandbox-for-tests';

/** A sandbox with an address of its own, as a provider has. */
export interface TestSandbox {
  url: string;
  /** Speaks with it as who has its secret key. */
  client: Client;
  provider: SandboxProvider;
  /** Switches its faults. */
  set(switches: Partial<Switches>): Promise<void>;
  stop(): Promise<void>;
}

/** @param eventsUrl where its events go */
export async function startSandbox(databaseUrl: string, eventsUrl: string, port = 0): Promise<TestSandbox> {
  let url = '';
  const sandbox = new Sandbox({
    databaseUrl,
    secret: SANDBOX_SECRET,
    url: () => url,
    eventsUrl: () => eventsUrl,
  });
  await sandbox.open();
  const app = express().use('/sandbox', sandboxRouter(sandbox));
  const server: Server = app.listen(port, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sandbox`;
  const client = new Client(url, SANDBOX_SECRET);
  return {
    url,
    client,
    provider: new SandboxProvider(() => url, SANDBOX_SECRET, 'ours'),
    set: async (switches) => {
      await client.post('/switches', switches);
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await sandbox.stop();
    },
  };
}
