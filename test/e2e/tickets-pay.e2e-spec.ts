import { bookingSuite, expectRefusal, INSTANT, resolved, UNKNOWN } from '../support/bookings';
import { expectProblem } from '../support/problems';

describe('tickets', () => {
  const suite = bookingSuite();
  const { pay, cancel, show, seats, hold } = suite;

  describe('POST /tickets/{ticket_id}/pay', () => {
    it('sells a reserved ticket', async () => {
      const event = await suite.api.create.event({ total_tickets: 3 });
      const ticket = await hold(event);
      const { status, headers, body } = await pay(ticket);
      expect(status).toBe(200);
      expect(body).toEqual({ ...resolved(ticket, 'paid'), paid_at: expect.stringMatching(INSTANT) });
      expect(Date.parse(body.paid_at)).toBeGreaterThanOrEqual(Date.parse(body.created_at));
      expect(Date.parse(body.paid_at)).toBeLessThan(Date.parse(body.expires_at));
      expect(headers.get('location')).toBeNull();
      expect(await show(ticket)).toEqual(body);
      expect(await seats(event)).toEqual({ capacity: 3, held: 0, sold: 1 });
    });

    it('refuses a ticket that is paid, and leaves it as it is', async () => {
      const event = await suite.api.create.event();
      const { body: paid } = await pay(await hold(event));
      const refused = await pay(paid);
      expectRefusal(refused, 'ticket_not_payable');
      expect(refused.body).toMatchObject({ ticket_status: 'paid', paid_at: paid.paid_at });
      expect(await show(paid)).toEqual(paid);
      expect(await seats(event)).toMatchObject({ held: 0, sold: 1 });
    });

    it('refuses a ticket that is cancelled', async () => {
      const ticket = await hold(await suite.api.create.event());
      await cancel(ticket);
      const refused = await pay(ticket);
      expectRefusal(refused, 'ticket_not_payable');
      expect(refused.body.ticket_status).toBe('cancelled');
    });

    it('refuses a ticket that is not there', async () => {
      expectRefusal(await pay({ id: UNKNOWN }), 'ticket_not_found');
    });

    it('refuses a body: there is nothing to say', async () => {
      const ticket = await hold(await suite.api.create.event());
      expectProblem(
        await suite.api.client.post(`/tickets/${ticket.id}/pay`, { amount: 0 }),
        422,
        'validation_failed',
        { pointers: ['/amount'] },
      );
      expect((await suite.api.client.post(`/tickets/${ticket.id}/pay`, {})).status).toBe(200);
    });
  });
});
