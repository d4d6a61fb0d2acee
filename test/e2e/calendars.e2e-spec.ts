import ICAL from 'ical.js';
import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { gateBy, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';

/** The one entry of a calendar, as a parser of another author reads it. */
function entryOf(calendar: string) {
  const component = new ICAL.Component(ICAL.parse(calendar) as unknown[]);
  const entries = component.getAllSubcomponents('vevent');
  expect(entries).toHaveLength(1);
  const [entry] = entries as [ICAL.Component];
  const event = new ICAL.Event(entry);
  return {
    uid: event.uid,
    sequence: event.sequence,
    summary: event.summary,
    description: event.description,
    location: event.location,
    start: event.startDate.toJSDate().toISOString(),
    end: event.endDate.toJSDate().toISOString(),
    zone: entry.getFirstProperty('dtstart')?.getFirstParameter('tzid'),
    status: entry.getFirstPropertyValue('status'),
  };
}

describe('calendars', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;
  let stranger: Party;

  beforeAll(async () => {
    api = await startTestApi();
    [organizer, buyer, stranger] = [await partyOf(api), await partyOf(api), await partyOf(api)];
  });
  afterAll(() => api.stop());

  const gate = gateBy(() => api);
  const anyone = () => api.client.as('');
  const change = (id: number, body: object) =>
    organizer.client.send('PATCH', `/events/${id}`, {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });

  it('have an event at its local time, whoever asks', async () => {
    const description =
      'Long; with, marks\\ and “quotes”.\nTwo lines, 🎉 and one that is so long that it has to be folded.';
    const event = await gate.event(organizer, {
      title: 'ليلة المحرك, part 1; 🎉',
      description,
      venue: { address: 'Engine House, London', latitude: 51.5, longitude: -0.13 },
      timezone: 'Europe/Berlin',
    });
    const answer = await anyone().get<string>(`/events/${event.id}.ics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
    const { uid, ...entry } = entryOf(answer.body);
    expect(uid).toMatch(/^event-\d+-\w+@tixxety$/);
    expect(entry).toEqual({
      sequence: 0,
      summary: 'ليلة المحرك, part 1; 🎉',
      description,
      location: 'Engine House, London',
      start: '2099-06-01T19:00:00.000Z',
      end: '2099-06-01T22:00:00.000Z',
      zone: 'Europe/Berlin',
      status: 'CONFIRMED',
    });
    expect(answer.body).toContain('DTSTART;TZID=Europe/Berlin:20990601T210000\r\n');
    for (const line of answer.body.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  });

  it('are in UTC where the clocks change while an event lasts', async () => {
    const times = { start_time: '2099-10-24T20:00:00Z', end_time: '2099-10-25T04:00:00Z' };
    const event = await gate.event(organizer, { ...times, timezone: 'Europe/Berlin' });
    const { body } = await anyone().get<string>(`/events/${event.id}.ics`);
    expect(body).toContain('DTSTART:20991024T200000Z\r\nDTEND:20991025T040000Z\r\n');
  });

  it.each([
    [{ address: '', latitude: 51.5, longitude: -0.1 }, '51.5, -0.1'],
    [{ address: '' }, null],
    [{ latitude: 0, longitude: 0 }, '0, 0'],
  ])('show the place %j', async (venue, location) => {
    const event = await gate.event(organizer, { venue });
    const { status, body } = await anyone().get<string>(`/events/${event.id}.ics`);
    expect([status, entryOf(body).location]).toEqual([200, location]);
  });

  it('keep the UID of an event and raise its SEQUENCE, until it is cancelled', async () => {
    const event = await gate.event(organizer);
    const read = async () => entryOf((await anyone().get<string>(`/events/${event.id}.ics`)).body);
    const before = await read();
    expect(before).toMatchObject({ sequence: 0, zone: undefined, start: '2099-06-01T19:00:00.000Z' });
    await change(event.id, { title: 'Later', start_time: '2099-06-01T20:00:00Z' });
    const after = await read();
    expect(after).toMatchObject({ uid: before.uid, sequence: 1, summary: 'Later' });
    await organizer.client.post(`/events/${event.id}/cancel`);
    const last = await read();
    expect(last).toMatchObject({ uid: before.uid, status: 'CANCELLED' });
    expect(last.sequence).toBeGreaterThan(after.sequence);
  });

  it('are sent again only when something changed', async () => {
    const event = await gate.event(organizer);
    const first = await anyone().get(`/events/${event.id}.ics`);
    const tag = { 'If-None-Match': first.headers.get('etag') ?? '' };
    expect(first.headers.get('cache-control')).toContain('public');
    expect((await anyone().get(`/events/${event.id}.ics`, tag)).status).toBe(304);
    await change(event.id, { title: 'Another' });
    expect((await anyone().get(`/events/${event.id}.ics`, tag)).status).toBe(200);
    // After a restore, another event may have the id and the version.
    await api.sql(`UPDATE events SET title = 'Yet another', version = 1 WHERE id = $1`, [event.id]);
    expect((await anyone().get(`/events/${event.id}.ics`, tag)).status).toBe(200);
  });

  it('show a draft to its organizer alone', async () => {
    const event = await gate.event(organizer, { status: 'draft' });
    const own = await organizer.client.get(`/events/${event.id}.ics`);
    expect([own.status, own.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expectProblem(await anyone().get(`/events/${event.id}.ics`), 404, 'event_not_found');
    expectProblem(await stranger.client.get(`/events/${event.id}.ics`), 404, 'event_not_found');
    expectProblem(await anyone().get(`/events/${UNKNOWN}.ics`), 404, 'event_not_found');
  });

  it('have a ticket for its buyer and the organizer, cancelled once it is', async () => {
    const event = await gate.event(organizer, { timezone: 'America/New_York' });
    const [ticket] = (await gate.tickets(event, 1, buyer)) as [PaidTicket];
    const read = async (by: Party) =>
      entryOf((await by.client.get<string>(`/tickets/${ticket.id}.ics`)).body);
    const before = await read(buyer);
    expect(before).toMatchObject({
      sequence: 0,
      status: 'CONFIRMED',
      zone: 'America/New_York',
      start: '2099-06-01T19:00:00.000Z',
    });
    expect(before.description).toContain(ticket.order_code);
    expect(await read(organizer)).toEqual(before);
    expectProblem(await stranger.client.get(`/tickets/${ticket.id}.ics`), 404, 'ticket_not_found');
    expectProblem(await anyone().get(`/tickets/${ticket.id}.ics`), 401, 'unauthenticated');
    await organizer.client.post(`/tickets/${ticket.id}/void`);
    expect(await read(buyer)).toMatchObject({ uid: before.uid, sequence: 1, status: 'CANCELLED' });
  });

  it.each(['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Etc/GMT+3', 'Africa/Casablanca'])(
    'have the same instant in %s',
    async (timezone) => {
      const event = await gate.event(organizer, { timezone });
      const { start, end } = entryOf((await anyone().get<string>(`/events/${event.id}.ics`)).body);
      expect([start, end]).toEqual(['2099-06-01T19:00:00.000Z', '2099-06-01T22:00:00.000Z']);
    },
  );
});
