import { INSTALLATION } from '../../src/database/installation-id';
import { redisPrefix } from '../../src/queue/job-types';

/** A database that can be asked; `sql` is called on it, since one of them needs its `this`. */
interface Database {
  sql(text: string): Promise<{ name: string }[]>;
}

/** What the keys in Redis of the processes on a database begin with. */
export async function redisPrefixOf(database: Database): Promise<string> {
  const [installation] = await database.sql(INSTALLATION);
  return redisPrefix(installation?.name ?? '');
}
