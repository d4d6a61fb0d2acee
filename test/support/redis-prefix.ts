import { INSTALLATION } from '../../src/database/installation';
import { redisPrefix } from '../../src/queue/expiration-queue';

/** What the keys in Redis of the processes on a database begin with. */
export async function redisPrefixOf({
  sql,
}: {
  sql: (text: string) => Promise<{ name: string }[]>;
}): Promise<string> {
  const [installation] = await sql(INSTALLATION);
  return redisPrefix(installation?.name ?? '');
}
