import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';
import { gateBy, scanAt, type GateEvent, type PaidTicket, type TestDevice } from '../support/gate';

let database: TestDatabase;
let api: TestApi;
let event: GateEvent;
let north: TestDevice;
let tickets: PaidTicket[];
beforeAll(async () => {
  database = await createDatabase();
  api = await startTestApi({ DATABASE_URL: database.url });
  const gate = gateBy(() => api);
  let organizer;
  ({ event, north, organizer } = await gate.open());
  tickets = await gate.tickets(event, 4);
  for (const kind of ['entry', 'entry', 'exit', 'entry'])
    for (const ticket of tickets) await scanAt(north.client, event, ticket, { kind });
  await scanAt(north.client, event, { token: 'nonsense' });
  await organizer.client.post(`/tickets/${tickets[3]?.id}/void`);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

const { findings } = doctorOf(() => database);

/** What the doctor says after a change that is then undone. */
async function after(change: string, undo: string): Promise<{ code: number; messages: string[] }> {
  await database.sql(change);
  try {
    const { code, gate } = await findings();
    return { code, messages: gate?.details?.map(({ message }) => message) ?? [] };
  } finally {
    await database.sql(undo);
  }
}

it('finds nothing at a gate that works', async () => {
  expect((await findings()).gate).toMatchObject({ status: 'ok' });
});

it.each([
  ['without an event', 'event_id = event_id + 1000', 'event_id = event_id - 1000'],
  ['by a device that its event does not have', 'device_id = -device_id', 'device_id = -device_id'],
  ['of a ticket that its event does not have', 'ticket_id = -ticket_id', 'ticket_id = -ticket_id'],
  ['without the one that it names', 'earlier_id = -earlier_id', 'earlier_id = -earlier_id'],
  ['without the way in or out before it', 'passage = passage + 4', 'passage = passage - 4'],
])('finds check-ins %s', async (fault, change, undo) => {
  const { code, messages } = await after(`UPDATE check_ins SET ${change}`, `UPDATE check_ins SET ${undo}`);
  expect(code).toBe(1);
  expect(messages).toContainEqual(expect.stringContaining(` ${fault}, the first is check-in `));
});

it('finds a ticket that went in twice', async () => {
  const index =
    'CREATE UNIQUE INDEX check_ins_passage_idx ON check_ins (ticket_id, passage) WHERE passage IS NOT NULL';
  const copied = `INSERT INTO check_ins (event_id, device_id, nonce, ticket_id, kind, result, passage, scanned_at, received_at)
    SELECT event_id, device_id, 'a second way in', ticket_id, kind, result, passage, scanned_at, received_at
    FROM check_ins WHERE ticket_id = ${tickets[0]?.id} AND passage = 0`;
  const { messages } = await after(
    `DROP INDEX check_ins_passage_idx; ${copied}`,
    `DELETE FROM check_ins WHERE nonce = 'a second way in'; ${index}`,
  );
  expect(messages).toEqual([
    expect.stringMatching(/^1 check-in that goes in or out once more, check-in \d+$/),
  ]);
});

it('finds a ticket whose change devices do not hear of', async () => {
  const { messages } = await after(
    'CREATE TABLE kept AS SELECT * FROM gate_changes; DELETE FROM gate_changes',
    'INSERT INTO gate_changes SELECT * FROM kept; DROP TABLE kept',
  );
  expect(messages).toEqual([`1 ticket whose change no device hears of, ticket ${tickets[3]?.id}`]);
});
