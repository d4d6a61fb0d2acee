import { createDatabase, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { findings } = doctorOf(() => database);

describe('of the outbox', () => {
  it('finds messages that no relay takes, and dead letters with their reason', async () => {
    const [{ id }] = await database.sql(
      `INSERT INTO outbox (topic, payload, due_at) VALUES ('test.topic', '{}', now() - interval '1 hour') RETURNING id`,
    );
    expect(await findings()).toMatchObject({
      code: 1,
      outbox: {
        status: 'wrong',
        message: '1 message of the outbox due for over a minute: no relay takes them',
      },
    });
    await database.sql(`UPDATE outbox SET is_dead = true, last_error = 'no such order' WHERE id = $1`, [id]);
    expect(await findings()).toMatchObject({
      code: 1,
      outbox: { status: 'wrong', message: '1 dead letter in the outbox (the latest: no such order)' },
    });
    await database.sql('DELETE FROM outbox WHERE id = $1', [id]);
  });
});
