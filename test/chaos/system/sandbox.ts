import type { Switches } from '../../../src/payments/sandbox/server/switches';
import type { Cleanup } from '../../support/cleanup';
import { startServer } from '../../support/server-process';
import { lastingPort } from './ports';

const SECRET = 'what-the-chaos-calls-the-sandbox-with';

/** The payment sandbox as a process of its own, which nothing kills. */
export class SandboxServer {
  private constructor(private readonly url: string) {}

  /** @param apiPorts its events go to these in turn */
  static async start(
    databaseUrl: string,
    apiPorts: readonly number[],
    cleanup: Cleanup,
  ): Promise<SandboxServer> {
    const port = await lastingPort();
    const { url } = await startServer(
      {
        script: 'scripts/sandbox.js',
        args: apiPorts.flatMap((api) => ['--events-to', `http://127.0.0.1:${api}/payments/events/sandbox`]),
        environment: { NODE_ENV: 'test', DATABASE_URL: databaseUrl, SANDBOX_SECRET: SECRET },
        port,
      },
      cleanup,
    );
    return new SandboxServer(`${url}/sandbox`);
  }

  /** What an API or a worker needs to call it. In production there is none. */
  get environment(): Record<string, string> {
    return { NODE_ENV: 'test', SANDBOX_URL: this.url, SANDBOX_SECRET: SECRET };
  }

  /** Switches its faults. */
  async set(switches: Partial<Switches>): Promise<void> {
    await this.post('/switches', switches);
  }

  /** Every dispute that is open is won. */
  async winDisputes(): Promise<void> {
    for (;;) {
      const answer = await fetch(`${this.url}/disputes`, { headers: this.headers });
      const { data } = (await answer.json()) as { data: { id: string; status: string }[] };
      const open = data.filter(({ status }) => status === 'open');
      if (open.length === 0) return;
      for (const { id } of open) await this.post(`/disputes/${id}/win`);
    }
  }

  private async post(path: string, body: object = {}): Promise<void> {
    const init = { method: 'POST', headers: this.headers, body: JSON.stringify(body) };
    const { status } = await fetch(this.url + path, init);
    if (status !== 200) throw new Error(`The sandbox answered ${status}`);
  }

  private get headers(): Record<string, string> {
    return { Authorization: `Bearer ${SECRET}`, 'Content-Type': 'application/json' };
  }
}
