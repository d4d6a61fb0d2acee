import Redis from 'ioredis';
import { startTestApi } from '../support/api';
import { createDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { ownRedis } from '../support/redis';
import { redisPrefixOf } from '../support/redis-prefix';
import { describeWithRedis } from '../support/with-redis';

const LIMIT = 20;

describeWithRedis('two installations on one Redis', () => {
  it('see nothing of each other: neither jobs nor counts of requests', async () => {
    const redis = await ownRedis();
    const databases = await Promise.all([createDatabase(), createDatabase()]);
    const apis = await Promise.all(
      databases.map(({ url }) =>
        startTestApi({ DATABASE_URL: url, REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: String(LIMIT) }),
      ),
    );
    for (const api of apis) {
      await eventually(async () => {
        const { body } = await api.client.get('/health/ready');
        expect(body.details.redis).toEqual({ status: 'up' });
      });
      const [user, event] = [await api.create.user(), await api.create.event()];
      await api.create.ticket({ user_id: user.id, event_id: event.id });
      // The same address asks each for all it may.
      const answers = [];
      for (let i = 0; i < LIMIT; i++) answers.push(await api.client.as('').get('/events/'));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
    const prefixes = await Promise.all(databases.map(redisPrefixOf));
    expect(new Set(prefixes).size).toBe(2);
    const client = new Redis(redis.url);
    await eventually(async () => {
      const keys = await client.keys('*');
      for (const prefix of prefixes) expect(keys).toContain(`${prefix}:expiration:delayed`);
      expect(keys.filter((key) => !prefixes.some((prefix) => key.startsWith(`${prefix}:`)))).toEqual([]);
    });
    client.disconnect();
    await Promise.all(apis.map((api) => api.stop()));
    await Promise.all([redis.stop(), ...databases.map((database) => database.drop())]);
  });
});
