import { startTestApi, type TestApi } from '../support/api';
import { gateBy, type GateEvent } from '../support/gate';
import type { Party } from '../support/orders';
import { expectProblem } from '../support/problems';

describe('devices', () => {
  let api: TestApi;
  let organizer: Party;
  let event: GateEvent;

  beforeAll(async () => {
    api = await startTestApi({ RATE_LIMIT_PER_MINUTE: '20' });
    const admin = api.client;
    organizer = { id: 0, client: admin };
    event = await gate.event(organizer);
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);

  it('are shown without their tokens, which are kept as hashes, and not told again', async () => {
    const key = { 'Idempotency-Key': 'devices' };
    const create = () => api.client.post(`/events/${event.id}/devices`, { name: 'North' }, key);
    const { status, headers, body } = await create();
    expect({ status, location: headers.get('location') }).toEqual({
      status: 201,
      location: `/devices/${body.id}`,
    });
    expect(body.token).toMatch(new RegExp(`^gate_${event.id}_[\\w-]{32}$`));
    const again = await create();
    expect(again.body).toEqual({ ...body, token: undefined });
    const listed = (await api.client.get(`/events/${event.id}/devices`)).body as object[];
    expect(listed).toEqual([{ ...body, token: undefined }]);
    const secret = String(body.token).split('_')[2] ?? '';
    const rows = await api.sql('SELECT devices::text AS text FROM devices');
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('are limited by themselves, and guesses by their address', async () => {
    const one = await gate.device(organizer, event);
    const other = await gate.device(organizer, event);
    const ask = async (client = one.client) => (await client.get(`/events/${event.id}/gate`)).status;
    const statuses = [];
    for (let i = 0; i < 21; i++) statuses.push(await ask());
    expect(statuses).toEqual([...Array<number>(20).fill(200), 429]);
    expect(await ask(other.client)).toBe(200);
    const guesses = [];
    for (let i = 0; i < 21; i++) {
      const guess = `gate_${event.id}_${String(i).padStart(32, '0')}`;
      guesses.push(await ask(api.client.as(guess)));
    }
    expect(new Set(guesses.slice(0, 18))).toEqual(new Set([401]));
    expect(guesses.at(-1)).toBe(429);
    expect(await ask(other.client)).toBe(200);
  });

  it('are at most 500 of an event', async () => {
    await api.sql(
      `INSERT INTO devices (event_id, name, token_hash)
      SELECT $1, 'Phone', sha256(convert_to('phone' || n, 'UTF8')) FROM generate_series(1, 500) AS n`,
      [event.id],
    );
    const answer = await api.client.post(`/events/${event.id}/devices`, { name: 'One more' });
    expectProblem(answer, 409, 'too_many_devices');
  });
});
