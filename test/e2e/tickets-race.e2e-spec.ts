import { DataSource } from 'typeorm';
import { startTestApi, type TestApi } from '../support/api';
import { bookingSuite, expectRefusal } from '../support/bookings';
import type { Answer } from '../support/client';
import { eventually } from '../support/eventually';

describe('tickets', () => {
  const suite = bookingSuite();
  const { reserve, pay, cancel, show, seats, hold } = suite;

  describe('in a race, between two APIs on one database', () => {
    let second: TestApi;

    beforeAll(async () => {
      second = await startTestApi({ DATABASE_URL: suite.api.settings.DATABASE_URL ?? '' });
    });
    afterAll(() => second.stop());

    /** Thirty of one kind at once, every other one by the second API. */
    const thirty = (act: (by: TestApi, i: number) => Promise<Answer>) =>
      Promise.all(Array.from({ length: 30 }, (_, i) => act(i % 2 === 0 ? suite.api : second, i)));

    /** Lets both APIs come as far as the seats of the event, so that neither has seen what the other does. */
    async function atTheSameTime(event: { id: number }, act: () => Promise<Answer[]>): Promise<Answer[]> {
      let answers: Promise<Answer[]> | undefined;
      await suite.api.app.get(DataSource).transaction(async (manager) => {
        await manager.query('SELECT FROM quotas WHERE event_id = $1 FOR UPDATE', [event.id]);
        answers = act();
        const waiting = `SELECT count(*)::int AS number FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        await eventually(async () => expect((await second.sql(waiting))[0].number).toBeGreaterThanOrEqual(2));
      });
      return (await answers) ?? [];
    }

    it('one ticket is paid once', async () => {
      const event = await suite.api.create.event({ total_tickets: 2 });
      const ticket = await hold(event);
      const answers = await atTheSameTime(event, () => thirty((by) => pay(ticket, by)));
      const [paid, ...others] = answers.sort((a, b) => a.status - b.status);
      expect(paid?.body).toEqual(await show(ticket));
      expect(paid).toMatchObject({ status: 200, body: { status: 'paid' } });
      expect(others).toHaveLength(29);
      for (const answer of others) {
        expectRefusal(answer, 'ticket_not_payable');
        // Also those that came with it in one statement.
        expect(answer.body).toMatchObject({ ticket_status: 'paid', paid_at: paid?.body.paid_at });
      }
      expect(await seats(event)).toEqual({ capacity: 2, held: 0, sold: 1 });
    });

    it('one ticket is paid or cancelled, never both', async () => {
      for (let round = 0; round < 6; round++) {
        const event = await suite.api.create.event({ total_tickets: 2 });
        const ticket = await hold(event);
        const answers = await atTheSameTime(event, () =>
          thirty((by, i) => (i % 3 === round % 3 ? pay(ticket, by) : cancel(ticket, by))),
        );
        const winners = answers.filter(({ status }) => status === 200);
        expect(winners.map(({ body }) => body)).toEqual([await show(ticket)]);
        const sold = winners[0]?.body.status === 'paid' ? 1 : 0;
        expect(await seats(event)).toEqual({ capacity: 2, held: 0, sold });
      }
    });

    it('the last places are given once', async () => {
      const event = await suite.api.create.event({ total_tickets: 10 });
      const users = await Promise.all(Array.from({ length: 30 }, () => suite.api.create.user()));
      const answers = await atTheSameTime(event, () =>
        thirty((by, i) => reserve(users[i]?.id, event.id, by)),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        expectRefusal(answer, 'event_sold_out');
      }
      expect(await seats(event)).toEqual({ capacity: 10, held: 10, sold: 0 });
    });

    it('nobody gets past the limit of holds', async () => {
      const [person, event] = [
        await suite.api.create.user(),
        await suite.api.create.event({ total_tickets: 100 }),
      ];
      const answers = await atTheSameTime(event, () => thirty((by) => reserve(person.id, event.id, by)));
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        expectRefusal(answer, 'hold_limit_reached');
      }
      expect(await seats(event)).toEqual({ capacity: 100, held: 10, sold: 0 });
    });
  });
});
