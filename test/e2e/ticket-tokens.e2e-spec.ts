import { compactVerify, createLocalJWKSet, decodeProtectedHeader } from 'jose';
import { newTicketKey } from '../../src/check-in/new-ticket-key';
import { ROTATE_TICKET_KEY } from '../../src/check-in/ticket-keys.statements';
import { TicketTokens } from '../../src/check-in/ticket-tokens';
import { startTestApi, type TestApi } from '../support/api';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { gateBy } from '../support/gate';
import { partyOf, type Party } from '../support/orders';

const SECRETS = ['first', 'second'].map((word) => `${word} of two secrets that only this suite knows`) as [
  string,
  string,
];

describe('the token of a ticket', () => {
  let database: TestDatabase;
  let api: TestApi;
  let organizer: Party;
  let event: { id: number; type: number };

  beforeAll(async () => {
    database = await createDatabase();
    api = await startTestApi({ DATABASE_URL: database.url });
    organizer = await partyOf(api);
    event = await gate.event(organizer);
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const gate = gateBy(() => api);
  const tokens = (of = api) => of.app.get(TicketTokens, { strict: false });
  const keysOf = async (of = api) =>
    (await of.client.get('/.well-known/jwks.json')).body as { keys: { kid: string }[] };
  const verified = async (token: string, of = api) => {
    const { payload } = await compactVerify(token, createLocalJWKSet((await keysOf(of)) as never));
    return JSON.parse(Buffer.from(payload).toString()) as object;
  };
  const hand = (buyer: Party, id: number) =>
    buyer.client.send('PATCH', `/tickets/${id}`, {
      body: JSON.stringify({ attendee: { name: 'Charles' } }),
      headers: { 'Content-Type': 'application/json' },
    });

  it('is there once it is paid, for its buyer and its organizer, and says nothing of a person', async () => {
    const { ticket, buyer } = await gate.ticket(event);
    expect(await verified(ticket.token)).toEqual({ t: ticket.id, e: event.id, y: event.type, g: 0 });
    expect(decodeProtectedHeader(ticket.token)).toEqual({
      alg: 'EdDSA',
      kid: expect.stringMatching(/^[\w-]{3}$/),
    });
    expect(ticket.token.length).toBeLessThan(180);
    const { body } = await buyer.client.get(`/tickets/${ticket.id}`);
    expect(body.token).toBe(ticket.token);
    const [listed] = (await buyer.client.get('/users/me/tickets')).body;
    expect(listed.token).toBe(ticket.token);
    const orders = (await organizer.client.get(`/events/${event.id}/orders`)).body as { tickets: object[] }[];
    expect(orders.flatMap((order) => order.tickets)).toContainEqual(
      expect.objectContaining({ token: ticket.token }),
    );
    const held = await buyer.client.post('/tickets/', { event_id: event.id });
    expect(held.body).not.toHaveProperty('token');
    expect((await buyer.client.post(`/tickets/${held.body.id}/pay`)).body.token).toEqual(expect.any(String));
    await organizer.client.post(`/tickets/${ticket.id}/void`);
    expect((await buyer.client.get(`/tickets/${ticket.id}`)).body).not.toHaveProperty('token');
  });

  it('is another one once the ticket is handed on', async () => {
    const { ticket, buyer } = await gate.ticket(event);
    const handedOn = (await hand(buyer, ticket.id)).body;
    expect(await verified(handedOn.token)).toEqual({ t: ticket.id, e: event.id, y: event.type, g: 1 });
    expect(await tokens().verify(ticket.token)).toMatchObject({ ticketId: ticket.id, generation: 0 });
    const { body: held } = await buyer.client.post('/tickets/', { event_id: event.id });
    await hand(buyer, held.id);
    const { body: paid } = await buyer.client.post(`/tickets/${held.id}/pay`);
    expect(await verified(paid.token)).toMatchObject({ g: 0 });
    expect((await buyer.client.get(`/tickets/${held.id}`)).body.token).toBe(paid.token);
  });

  it('verifies as nothing where it is not ours', async () => {
    const { ticket } = await gate.ticket(event);
    const [header = '', payload = '', signature = ''] = ticket.token.split('.');
    const other = Buffer.from(JSON.stringify({ t: 1, e: event.id, y: event.type, g: 0 })).toString(
      'base64url',
    );
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const unknown = Buffer.from('{"alg":"EdDSA","kid":"???"}').toString('base64url');
    for (const token of [
      '',
      'a.b.c',
      `${header}.${other}.${signature}`,
      `${none}.${payload}.`,
      `${unknown}.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      ticket.token.slice(0, -1),
    ]) {
      expect(await tokens().verify(token)).toBeUndefined();
    }
    expect(await tokens().verify(ticket.token)).toMatchObject({ ticketId: ticket.id });
  });

  it('outlives a restart with another secret and another DATA_DIR, which make no difference where a key has its own', async () => {
    const { ticket } = await gate.ticket(event);
    const restarted = await startTestApi({
      DATABASE_URL: database.url,
      JWT_SECRET: SECRETS[0],
      DATA_DIR: '/nowhere',
    });
    expect(await tokens(restarted).verify(ticket.token)).toMatchObject({ ticketId: ticket.id });
    expect(await verified(ticket.token, restarted)).toMatchObject({ t: ticket.id });
    await restarted.stop();
    const kids = [];
    for (const JWT_SECRET of SECRETS) {
      const each = await startTestApi({
        DATABASE_URL: database.url,
        JWT_SECRET,
        TICKET_KEY_SECRET: SECRETS[1],
      });
      kids.push(
        decodeProtectedHeader(
          await tokens(each).tokenOf({ id: 1, eventId: 1, ticketTypeId: 1, generation: 0 }),
        ).kid,
      );
      await each.stop();
    }
    expect(kids[0]).toBe(kids[1]);
  });

  it('of a new key after a rotation; those of before stay good, and the key signs no more', async () => {
    const { ticket, buyer } = await gate.ticket(event);
    const [{ kid }] = (await api.sql(ROTATE_TICKET_KEY.text, newTicketKey(api.settings))) as [
      { kid: string },
    ];
    await eventually(async () =>
      expect(decodeProtectedHeader((await buyer.client.get(`/tickets/${ticket.id}`)).body.token).kid).toBe(
        kid,
      ),
    );
    expect(await verified(ticket.token)).toMatchObject({ t: ticket.id });
    expect(await tokens().verify(ticket.token)).toMatchObject({ ticketId: ticket.id });
    expect((await keysOf()).keys[0]?.kid).toBe(kid);
    expect(
      await api.sql(
        'SELECT FROM ticket_keys WHERE retired_at IS NOT NULL AND encrypted_private_key IS NOT NULL',
      ),
    ).toEqual([]);
  });

  it('loses its key a month after the last event that was there when it signed', async () => {
    const before = (await keysOf()).keys;
    await api.sql(
      `UPDATE events SET start_time = now() - interval '33 days', end_time = now() - interval '32 days'`,
    );
    await api.sql(ROTATE_TICKET_KEY.text, newTicketKey(api.settings));
    const [retired, ...gone] = before.map(({ kid }) => kid);
    const after = (await keysOf()).keys.map(({ kid }) => kid);
    expect(after).toContain(retired);
    for (const kid of gone) expect(after).not.toContain(kid);
  });

  it('has one key, however many processes need their first one at once', async () => {
    const fresh = await createDatabase();
    const processes = await Promise.all([1, 2, 3].map(() => startTestApi({ DATABASE_URL: fresh.url })));
    const sets = await Promise.all(processes.flatMap((each) => [keysOf(each), keysOf(each)]));
    expect(new Set(sets.flatMap(({ keys }) => keys.map(({ kid }) => kid))).size).toBe(1);
    const [{ encrypted_private_key: kept }] = await fresh.sql(
      'SELECT encrypted_private_key FROM ticket_keys',
    );
    expect(kept.length).toBe(12 + 16 + 32);
    for (const each of processes) await each.stop();
    await fresh.drop();
  });
});
