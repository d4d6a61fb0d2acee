import { Client, type Answer } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { change } from '../support/order-game';
import { startMain, type RunningProcess } from '../support/processes';

/** What people write into bodies and headers of orders; the log has none of it. */
const CANARIES = {
  attendee: 'canary-attendee',
  attendeeEmail: 'attendee@canary.example.com',
  contact: 'canary-contact',
  contactEmail: 'contact@canary.example.com',
  metadataName: 'canary-metadata-name',
  metadata: 'canary-metadata',
  discount: 'CANARY-DISCOUNT',
  otherDiscount: 'CANARY-OTHER',
  reference: 'canary-reference-of-a-receipt',
  type: 'canary-type',
  description: 'canary-description',
  quota: 'canary-quota',
  key: 'canary-idempotency-key',
  otherKey: 'canary-other-idempotency-key',
  match: 'canary-if-match',
  search: 'canary-search',
} as const;

describe('the log of orders', () => {
  let database: TestDatabase;
  let api: RunningProcess;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startMain([], { DATABASE_URL: database.url, LOG_LEVEL: 'trace' });
  }, 30_000);
  afterAll(() => database.drop());

  it('tells what happened, and nothing that bodies and headers say', async () => {
    const admin = new Client(api.url);
    const signUp = async (email: string) =>
      admin.as((await admin.as('').post('/users/', { name: 'Somebody', email })).body.access_token as string);
    const [organizer, buyer] = [await signUp('organizer@example.com'), await signUp('buyer@example.com')];
    const done = (answer: Answer, status: number) => {
      expect({ status: answer.status, code: answer.body?.code }).toMatchObject({ status });
      return answer.body;
    };
    const event = done(
      await organizer.post('/events/', {
        title: 'Concert',
        start_time: '2099-01-01T00:00:00Z',
        end_time: '2099-01-01T00:00:00Z',
        total_tickets: 100,
        venue: {},
        currency: 'EUR',
        metadata: { [CANARIES.metadataName]: CANARIES.metadata },
      }),
      201,
    );
    const path = `/events/${event.id}`;
    const newType = { name: CANARIES.type, description: CANARIES.description, price: 0 };
    const newCode = { code: CANARIES.discount, percent_off: 10 };
    const type = done(await organizer.post(`${path}/ticket-types`, newType), 201);
    const quota = done(await organizer.post(`${path}/quotas`, { name: CANARIES.quota, capacity: 5 }), 201);
    done(await organizer.post(`${path}/codes`, newCode), 201);
    done(await organizer.post(`${path}/codes`, newCode), 409);
    done(
      await organizer.send('PATCH', path, {
        headers: { 'If-Match': `"${CANARIES.match}"`, 'Content-Type': 'application/json' },
        body: '{}',
      }),
      412,
    );

    const attendee = { name: CANARIES.attendee, email: CANARIES.attendeeEmail };
    const order = {
      event_id: event.id,
      items: [{ ticket_type_id: type.id, quantity: 1, attendees: [attendee] }],
      code: CANARIES.discount,
      contact: { name: CANARIES.contact, email: CANARIES.contactEmail },
      metadata: { [CANARIES.metadataName]: CANARIES.metadata },
    };
    const key = { 'Idempotency-Key': CANARIES.key };
    const placed = done(await buyer.post('/orders', order, key), 201);
    done(await buyer.post('/orders', order, key), 201);
    done(await buyer.post('/orders', { ...order, code: CANARIES.otherDiscount }), 422);
    done(await buyer.post('/orders', { ...order, items: [{ ...order.items[0], [CANARIES.type]: 1 }] }), 422);
    const cash = { offline: true, reference: CANARIES.reference };
    done(await buyer.post(`/orders/${placed.code}/payments`, cash), 403);
    done(
      await organizer.post(`/orders/${placed.code}/payments`, cash, { 'Idempotency-Key': CANARIES.otherKey }),
      201,
    );
    const ticket = `/tickets/${placed.tickets[0].id}`;
    done(await change(buyer, ticket, { attendee }), 200);
    done(await organizer.get(`${path}/orders?q=${CANARIES.search}`), 200);

    // Unforeseen errors are logged with their causes, whose statements had these parameters.
    for (const [table, column] of [
      ['orders', 'contact_name'],
      ['ticket_types', 'description'],
      ['quotas', 'name'],
      ['codes', 'percent_off'],
      ['tickets', 'attendee_email'],
    ]) {
      await database.sql(`ALTER TABLE ${table} RENAME COLUMN ${column} TO gone`);
    }
    const failed = [
      await buyer.post('/orders', order),
      await buyer.post('/orders', order, { 'Idempotency-Key': CANARIES.otherKey }),
      await organizer.post(`${path}/ticket-types`, newType),
      await organizer.post(`${path}/codes`, { ...newCode, code: CANARIES.otherDiscount }),
      await change(organizer, `/quotas/${quota.id}`, { name: CANARIES.quota }),
      await change(buyer, ticket, { attendee }),
    ];
    expect(failed.map(({ status }) => status)).toEqual(failed.map(() => 500));
    for (const { body } of failed) expect(JSON.stringify(body)).not.toMatch(/canary|gone/i);

    await eventually(() => expect(api.output()).toMatch(/PATCH \/tickets\/:ticket_id 500/));
    const { output } = await api.stop();
    for (const line of ['POST /orders 201', 'POST /orders 422', 'POST /orders 500', 'PATCH /quotas'])
      expect(output).toContain(line);
    expect(output.match(/column [^ ]+ (of relation [^ ]+ )?does not exist/g)?.length).toBeGreaterThanOrEqual(
      failed.length,
    );
    for (const [name, canary] of Object.entries({ ...CANARIES, order: placed.code as string })) {
      expect({ name, isLogged: output.toLowerCase().includes(canary.toLowerCase()) }).toEqual({
        name,
        isLogged: false,
      });
    }
  }, 30_000);
});
