import { setTimeout as sleep } from 'node:timers/promises';
import { bookingSuite, expectRefusal, UNKNOWN } from '../support/bookings';

describe('tickets', () => {
  const suite = bookingSuite();
  const { pay, cancel, show, hold, fallDue } = suite;

  describe('GET /tickets/{ticket_id}', () => {
    it('shows a reserved ticket with the time that is left', async () => {
      const { expires_in_ms: atFirst, ...ticket } = await hold(await suite.api.create.event());
      await sleep(20);
      const { expires_in_ms: left, ...shown } = await show(ticket);
      expect(shown).toEqual(ticket);
      expect(left).toBeLessThan(atFirst);
      expect(left).toBeGreaterThan(atFirst - 60_000);
    });

    it('refuses a ticket that is not there', async () => {
      expectRefusal(await suite.api.client.get(`/tickets/${UNKNOWN}`), 'ticket_not_found');
    });
  });

  describe('GET /users/{user_id}/tickets', () => {
    it("lists the user's tickets of all states, newest first", async () => {
      const [owner, other] = [await suite.api.create.user(), await suite.api.create.user()];
      const event = await suite.api.create.event();
      const tickets = [];
      for (const { id } of [owner, other, owner, owner, owner]) {
        tickets.push(await suite.api.create.ticket({ user_id: id, event_id: event.id }));
      }
      const [paid, ofOther, cancelled, due, kept] = tickets;
      await pay(paid);
      await cancel(cancelled);
      await fallDue(due);
      const { status, headers, body } = await suite.api.client.get<{ id: number }[]>(
        `/users/${owner.id}/tickets`,
      );
      expect(status).toBe(200);
      expect(headers.get('link')).toBeNull();
      const shown = await Promise.all([due, cancelled, paid].map((ticket) => show(ticket)));
      expect(shown.map((ticket) => ticket.status)).toEqual(['expired', 'cancelled', 'paid']);
      expect(body).toEqual([{ ...kept, expires_in_ms: expect.any(Number) }, ...shown]);
      expect((await suite.api.client.get(`/users/${other.id}/tickets/`)).body).toMatchObject([
        { id: ofOther.id },
      ]);
    });

    it('is an empty list for who has none', async () => {
      const { id } = await suite.api.create.user();
      expect(await suite.api.client.get(`/users/${id}/tickets`)).toMatchObject({ status: 200, body: [] });
    });

    it('refuses a user that is not there', async () => {
      expectRefusal(await suite.api.client.get(`/users/${UNKNOWN}/tickets`), 'user_not_found');
    });
  });
});
