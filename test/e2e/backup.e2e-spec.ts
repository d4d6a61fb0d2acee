import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestApi } from '../support/api';
import { createBareDatabase, createTemplate, type TestDatabase } from '../support/databases';
import { findDumpableServer, type DumpableServer } from '../support/postgres-tools';
import { runScript } from '../support/processes';

describe('a backup', () => {
  let server: DumpableServer | undefined;
  let folder: string;
  const databases: TestDatabase[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-test-'));
    server = await findDumpableServer();
    if (server) return;
    const message = 'NO PG_DUMP: no backup is tried. Install postgresql, or a pg_dump as new as the server.';
    if (process.env.CI === 'true') throw new Error(message);
    console.warn(message);
  });
  afterAll(async () => {
    await Promise.all(databases.map((each) => each.drop()));
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  it('that is made in the middle of a rush, and restored elsewhere, is sound and goes on selling', async () => {
    if (!server) return;
    const original = await createTemplate(server.url);
    const restored = await createBareDatabase(server.url);
    databases.push(original, restored);
    const role = 'SELECT rolsuper AS "isSuperuser" FROM pg_roles WHERE rolname = current_user';
    expect(await restored.sql(role)).toEqual([{ isSuperuser: false }]);

    const before = await startTestApi({ DATABASE_URL: original.url });
    const user = await before.create.user();
    const event = await before.create.event({ title: 'Nuit étoilée', total_tickets: 100_000 });
    const hold = await before.create.ticket({ user_id: user.id, event_id: event.id });
    let isOver = false;
    const rush = Array.from({ length: 6 }, async () => {
      const buyer = await before.create.user();
      while (!isOver) {
        const { id } = await before.create.ticket({ user_id: buyer.id, event_id: event.id });
        await before.client.post(`/tickets/${id}/${id % 2 ? 'pay' : 'cancel'}`);
      }
    });
    const dump = join(folder, 'tixxety.dump');
    await server
      .run('pg_dump', ['--format=custom', `--file=${dump}`, original.url])
      .finally(() => (isOver = true));
    await Promise.all(rush);
    await before.stop();
    await server.run('pg_restore', ['--exit-on-error', '--no-owner', `--dbname=${restored.url}`, dump]);

    expect(await runScript('doctor/main', [], { DATABASE_URL: restored.url })).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^ok {8}seats/m),
    });
    const after = await startTestApi({ DATABASE_URL: restored.url });
    expect(await after.client.get('/events/?q=etoilee')).toMatchObject({ body: [{ id: event.id }] });
    expect(await after.client.post(`/tickets/${hold.id}/pay`)).toMatchObject({ body: { status: 'paid' } });
    const [{ last }] = (await after.sql('SELECT max(id)::int AS last FROM ticket_states')) as [
      { last: number },
    ];
    const next = await after.create.ticket({ user_id: user.id, event_id: event.id });
    expect(next.id).toBeGreaterThan(last);
    await after.stop();
  });
});
