import type { Problem } from '../../src/problems/problem';
import { TicketsService } from '../../src/tickets/tickets.service';
import { startTestApi, type TestApi } from '../support/api';
import { bookingSuite, expectRefusal } from '../support/bookings';
import type { Answer } from '../support/client';

describe('tickets', () => {
  const suite = bookingSuite();
  const { reserve, pay, cancel, show, seats, hold, fallDue } = suite;

  describe('the limit of live holds per user and event', () => {
    let limited: TestApi;

    beforeAll(async () => {
      limited = await startTestApi({
        DATABASE_URL: suite.api.settings.DATABASE_URL ?? '',
        MAX_HOLDS_PER_USER_EVENT: '2',
      });
    });
    afterAll(() => limited.stop());

    it('holds for one user and one event only', async () => {
      const [event, other] = [await suite.api.create.event(), await suite.api.create.event()];
      const holds = [await hold(event, limited), await hold(event, limited)];
      expect(holds).toHaveLength(2);
      expectRefusal(await reserve(suite.user.id, event.id, limited), 'hold_limit_reached');
      expect((await reserve(suite.user.id, other.id, limited)).status).toBe(201);
      expect((await reserve((await suite.api.create.user()).id, event.id, limited)).status).toBe(201);
      expect(await seats(event)).toMatchObject({ held: 3 });
    });

    it.each([
      ['paid', (ticket: { id: number }) => pay(ticket)],
      ['cancelled', (ticket: { id: number }) => cancel(ticket)],
      ['expired', (ticket: { id: number }) => fallDue(ticket)],
    ])('counts no ticket that is %s', async (state, resolve) => {
      const event = await suite.api.create.event();
      const [first] = [await hold(event, limited), await hold(event, limited)];
      expectRefusal(await reserve(suite.user.id, event.id, limited), 'hold_limit_reached');
      await resolve(first);
      expect((await show(first)).status).toBe(state);
      expect((await reserve(suite.user.id, event.id, limited)).status).toBe(201);
      expectRefusal(await reserve(suite.user.id, event.id, limited), 'hold_limit_reached');
    });

    it('comes after "sold out"', async () => {
      const event = await suite.api.create.event({ total_tickets: 2 });
      await hold(event, limited);
      await hold(event, limited);
      expectRefusal(await reserve(suite.user.id, event.id, limited), 'event_sold_out');
    });

    it('lets as many pass as it allows, and does not take the places of others, within one batch', async () => {
      const event = await suite.api.create.event({ total_tickets: 4 });
      const [greedy, next] = [await suite.api.create.user(), await suite.api.create.user()];
      const service = limited.app.get(TicketsService, { strict: false });
      const calls = [greedy, greedy, greedy, next, greedy, next, next].map(({ id }) =>
        service.reserve({ userId: id }, event.id, null).then(
          (ticket) => ticket.userId,
          (error: unknown) => (error as Problem).code,
        ),
      );
      expect(await Promise.all(calls)).toEqual([
        greedy.id,
        greedy.id,
        'hold_limit_reached',
        next.id,
        'hold_limit_reached',
        next.id,
        'event_sold_out',
      ]);
    });

    it('is none at 0', async () => {
      const unlimited = await startTestApi({
        DATABASE_URL: suite.api.settings.DATABASE_URL ?? '',
        MAX_HOLDS_PER_USER_EVENT: '0',
      });
      const event = await suite.api.create.event({ total_tickets: 15 });
      const answers = await Promise.all(
        Array.from({ length: 16 }, () => reserve(suite.user.id, event.id, unlimited)),
      );
      await unlimited.stop();
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(15);
      expectRefusal(answers.find(({ status }) => status !== 201) as Answer, 'event_sold_out');
    });
  });
});
