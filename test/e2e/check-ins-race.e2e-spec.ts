import { randomUUID } from 'node:crypto';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { gateBy, scanAt, type GateEvent, type TestDevice } from '../support/gate';
import { partyOf, type Party } from '../support/orders';

const AT_ONCE = 64;

describe('two APIs with a device each', () => {
  let database: TestDatabase;
  let apis: [TestApi, TestApi];
  let organizer: Party;
  let event: GateEvent;
  let devices: [TestDevice, TestDevice];

  beforeAll(async () => {
    database = await createDatabase();
    const environment = { DATABASE_URL: database.url, MAX_HOLDS_PER_USER_EVENT: '0' };
    apis = [await startTestApi(environment), await startTestApi(environment)];
    organizer = await partyOf(apis[0]);
    event = await gate.event(organizer);
    devices = [
      await gate.device(organizer, event, 'North'),
      await gate.device(organizer, event, 'South', apis[1].client),
    ];
  });
  afterAll(async () => {
    for (const api of apis) await api.stop();
    await database.drop();
  });

  const gate = gateBy(() => apis[0]);
  const scanAtOnce = async (what: { token: string }, fields: () => object = () => ({})) => {
    const answers = Array.from({ length: AT_ONCE }, (_, i) =>
      scanAt(devices[(i % 2) as 0 | 1].client, event, what, fields()),
    );
    const results = (await Promise.all(answers)).map(({ status, body }) => String(body.result ?? status));
    return numbers(results);
  };
  const numbers = (results: string[]) => {
    const counted: Record<string, number> = {};
    for (const result of results) counted[result] = (counted[result] ?? 0) + 1;
    return counted;
  };

  it(`let one in, of ${AT_ONCE} scans of one ticket at once`, async () => {
    for (let i = 0; i < 3; i++) {
      const { ticket } = await gate.ticket(event);
      expect(await scanAtOnce(ticket)).toEqual({ admitted: 1, already_in: AT_ONCE - 1 });
    }
  });

  it('give the same nonce the same answer, however many of it come at once', async () => {
    const { ticket } = await gate.ticket(event);
    const nonce = randomUUID();
    // One of them is the first, and all of the other device find it in.
    expect(await scanAtOnce(ticket, () => ({ nonce }))).toEqual({
      admitted: AT_ONCE / 2,
      already_in: AT_ONCE / 2,
    });
    expect(await database.sql('SELECT FROM check_ins WHERE nonce = $1', [nonce])).toHaveLength(2);
  });

  it('let one out, and one in again', async () => {
    const { ticket } = await gate.ticket(event);
    await scanAt(devices[0].client, event, ticket);
    await scanAtOnce(ticket, () => ({ kind: 'exit' }));
    const passages =
      'SELECT passage, result FROM check_ins WHERE ticket_id = $1 AND passage IS NOT NULL ORDER BY passage';
    expect(await database.sql(passages, [ticket.id])).toEqual([
      { passage: 0, result: 'admitted' },
      { passage: 1, result: 'left' },
    ]);
    expect(await scanAtOnce(ticket)).toEqual({ admitted: 1, already_in: AT_ONCE - 1 });
  });

  it('let many tickets in at once, each once', async () => {
    const tickets = await gate.tickets(event, 40);
    const answers = await Promise.all(
      tickets.flatMap((ticket) =>
        devices.flatMap(({ client }) => [1, 2].map(() => scanAt(client, event, ticket))),
      ),
    );
    const results = answers.map(({ body }) => body.result as string);
    expect(numbers(results)).toEqual({ admitted: 40, already_in: 120 });
  });

  it('would let several in without the unique index', async () => {
    await database.sql('DROP INDEX check_ins_passage_idx');
    let most = 0;
    for (let tries = 0; tries < 30 && most < 2; tries++) {
      const { ticket } = await gate.ticket(event);
      most = Math.max(most, (await scanAtOnce(ticket)).admitted ?? 0);
    }
    expect(most).toBeGreaterThan(1);
  });
});
