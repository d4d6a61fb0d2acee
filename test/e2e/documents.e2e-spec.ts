import { startTestApi, type TestApi } from '../support/api';
import { UNKNOWN } from '../support/bookings';
import { eventually } from '../support/eventually';
import { download, warmUpDocuments } from '../support/downloads';
import { gateBy, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { expectProblem } from '../support/problems';
import { codesIn, pagesOf, textOf } from '../support/readers';

const DOCUMENTS = ['/qr.svg', '/qr.png', '.pdf'];

describe('the documents of a ticket', () => {
  let api: TestApi;
  let organizer: Party;
  let buyer: Party;
  let stranger: Party;
  let event: { id: number; type: number };
  let ticket: PaidTicket;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    [organizer, buyer, stranger] = [await partyOf(api), await partyOf(api), await partyOf(api)];
    event = await gate.event(organizer, {
      venue: { address: 'Engine House, London' },
      timezone: 'Europe/Berlin',
    });
    [ticket] = (await gate.tickets(event, 1, buyer)) as [PaidTicket];
    await warmUpDocuments(api, ticket.id);
  }, 60_000);
  afterAll(() => api.stop());

  const gate = gateBy(() => api);
  const name = (id: number, attendee: object) =>
    buyer.client.send('PATCH', `/tickets/${id}`, {
      body: JSON.stringify({ attendee }),
      headers: { 'Content-Type': 'application/json' },
    });
  const reserve = async (quantity = 1) => {
    const items = [{ ticket_type_id: event.type, quantity }];
    return (await buyer.client.post('/orders', { event_id: event.id, items })).body;
  };

  it.each([
    ['/qr.svg', 'image/svg+xml', '<?xml'],
    ['/qr.png', 'image/png', '\x89PNG'],
    ['.pdf', 'application/pdf', '%PDF-1.'],
  ])('%s is for the buyer and the organizer', async (document, type, start) => {
    for (const by of [buyer, organizer]) {
      const { status, headers, bytes } = await download(api, by, `/tickets/${ticket.id}${document}`);
      expect({ status, type: headers.get('content-type'), cache: headers.get('cache-control') }).toEqual({
        status: 200,
        type,
        cache: 'no-store',
      });
      expect(headers.get('content-disposition')).toMatch(/^inline; filename="ticket-\d+\.(svg|png|pdf)"$/);
      expect(bytes.toString('latin1').startsWith(start) || bytes.includes('<svg')).toBe(true);
    }
    const refusal = await stranger.client.get(`/tickets/${ticket.id}${document}`);
    expectProblem(refusal, 404, 'ticket_not_found');
    expectProblem(await api.client.as('').get(`/tickets/${ticket.id}${document}`), 401, 'unauthenticated');
    expectProblem(await buyer.client.get(`/tickets/${UNKNOWN}${document}`), 404, 'ticket_not_found');
    expectProblem(await buyer.client.get(`/tickets/no${document}`), 422, 'validation_failed');
    expectProblem(
      await buyer.client.get(`/tickets/${ticket.id}${document}?size=1`),
      422,
      'validation_failed',
    );
  });

  it('are there for paid tickets alone', async () => {
    const order = await reserve();
    for (const document of [...DOCUMENTS, '.ics']) {
      const refusal = await buyer.client.get(`/tickets/${order.tickets[0].id}${document}`);
      expectProblem(refusal, 409, 'ticket_not_paid');
      expect(refusal.body.ticket_status).toBe('reserved');
    }
    expectProblem(await buyer.client.get(`/orders/${order.code}.pdf`), 409, 'order_without_tickets');
    const [taken] = (await gate.tickets(event, 1, buyer)) as [PaidTicket];
    await organizer.client.post(`/tickets/${taken.id}/void`);
    for (const document of DOCUMENTS) {
      expectProblem(await buyer.client.get(`/tickets/${taken.id}${document}`), 409, 'ticket_not_paid');
    }
  });

  it('show the token, until the ticket is handed on', async () => {
    const [own] = (await gate.tickets(event, 1, buyer)) as [PaidTicket];
    const shown = async () => {
      const png = await download(api, buyer, `/tickets/${own.id}/qr.png`);
      const pdf = await download(api, buyer, `/tickets/${own.id}.pdf?format=phone`);
      const pages = await pagesOf(pdf.bytes);
      return [await codesIn(png.bytes), ...(await Promise.all(pages.map(codesIn)))];
    };
    expect(await shown()).toEqual([[own.token], [own.token]]);
    await name(own.id, { name: 'Charles' });
    const { token } = (await buyer.client.get(`/tickets/${own.id}`)).body;
    expect(token).not.toBe(own.token);
    expect(await shown()).toEqual([[token], [token]]);
  });

  it('say what a person wants to know, on a page of either size', async () => {
    await name(ticket.id, { name: 'Žofie O’Brien' });
    const { bytes } = await download(api, buyer, `/tickets/${ticket.id}.pdf`);
    const a4 = await textOf(bytes);
    expect(a4.sizes).toEqual(['595.28 x 841.89']);
    for (const line of [
      'Night of the Analytical Engine',
      'Monday, 1 June 2099, 21:00 – Tuesday, 2 June 2099, 00:00',
      'Europe/Berlin',
      'Engine House, London',
      'Žofie O’Brien',
      'Stalls',
      ticket.order_code,
    ]) {
      expect(a4.text).toContain(line);
    }
    const phone = await download(api, buyer, `/tickets/${ticket.id}.pdf?format=phone`);
    expect((await textOf(phone.bytes)).sizes).toEqual(['320 x 640']);
    const letter = await buyer.client.get(`/tickets/${ticket.id}.pdf?format=letter`);
    expectProblem(letter, 422, 'validation_failed');
  });

  it('of an order have a page for each ticket that is paid', async () => {
    const tickets = await gate.tickets(event, 3, buyer);
    const [first, ...others] = tickets as [PaidTicket, ...PaidTicket[]];
    await organizer.client.post(`/tickets/${first.id}/void`);
    const { status, headers, bytes } = await download(api, organizer, `/orders/${first.order_code}.pdf`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/pdf']);
    const codes = await Promise.all((await pagesOf(bytes)).map(codesIn));
    expect(codes).toEqual(others.map(({ token }) => [token]));
    expectProblem(await stranger.client.get(`/orders/${first.order_code}.pdf`), 404, 'order_not_found');
    expectProblem(await buyer.client.get('/orders/0000000000.pdf'), 404, 'order_not_found');
  });

  it('are no more once the event is cancelled', async () => {
    const cancelled = await gate.event(organizer);
    const [own] = (await gate.tickets(cancelled, 1, buyer)) as [PaidTicket];
    await api.sql(`UPDATE events SET status = 'cancelled' WHERE id = $1`, [cancelled.id]);
    for (const document of DOCUMENTS) {
      expectProblem(await buyer.client.get(`/tickets/${own.id}${document}`), 409, 'event_not_published');
    }
    expectProblem(await buyer.client.get(`/orders/${own.order_code}.pdf`), 409, 'event_not_published');
  });

  it('are refused when more are asked for at once than can be made', async () => {
    const paths = Array.from({ length: 200 }, () => `/tickets/${ticket.id}.pdf`);
    const answers = await Promise.all(paths.map((path) => buyer.client.get(path)));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeLessThan(200);
    expect(refused.length).toBeGreaterThan(0);
    for (const refusal of refused) {
      expect([refusal.status, refusal.headers.get('retry-after')]).toEqual([
        503,
        expect.stringMatching(/^[12]$/),
      ]);
    }
    // Others may have waited for too long, on a machine that has other things to do.
    expect(refused.map(({ body }) => body.code as string)).toContain('overloaded');
    await eventually(async () =>
      expect((await download(api, buyer, `/tickets/${ticket.id}.pdf`)).status).toBe(200),
    );
  });
});
