import { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings } from '../../../src/config/settings';
import { DatabaseClock } from '../../../src/database/database-clock';
import { Statements } from '../../../src/database/statements';
import { TixxetyDataSource } from '../../../src/database/tixxety-data-source';
import { DueHolds } from '../../../src/inventory/due-holds';
import { Inventory } from '../../../src/inventory/inventory.entity';
import { InventoryRepository } from '../../../src/inventory/inventory.repository';
import { NetworkKeys } from '../../../src/inventory/network-keys';
import { StuckRows } from '../../../src/inventory/stuck-rows';
import { ratio } from '../figure';
import { addHolds, openEvents } from '../fill/seats';
import type { Database } from '../harness/database';
import type { Ids } from '../load/job';
import { median } from '../measure';
import type { Part } from '../part';

const ENDED = 1_200_000;
const LOOKS = 100;
/** Longer than the margin that a look leaves behind the last one. */
const MARGIN_MS = 2_500;

/** A dump or a forgotten BEGIN keeps what has ended in the index of live holds: what looking for due ones then costs. */
export const snapshot: Part = {
  name: 'snapshot',
  about: 'looks for due holds beside 1.2 million that ended while somebody kept a snapshot open, and without',
  run: async (bench) => {
    const { database, users } = await bench.copyTemplate();
    const settings = readSettings({ DATABASE_URL: database.url });
    const dataSource = await new TixxetyDataSource(settings, 'worker').initialize();
    const keeper = new Client({ connectionString: database.url });
    await keeper.connect();
    const { alone, beside, everything } = await measure().finally(async () => {
      await keeper.end();
      await dataSource.destroy();
    });

    async function measure() {
      const holds = dueHolds(dataSource, settings);
      const alone = await timeOfLook(holds);
      await keeper.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT');
      await bench.timed(`Filling: ${bench.sized(ENDED).toLocaleString('en')} holds that ended`, () =>
        addEnded(database, users, bench.sized(ENDED)),
      );
      await holds.release('sweeper');
      await sleep(MARGIN_MS);
      const beside = await timeOfLook(holds);
      const everything = await timeOf(() => dueHolds(dataSource, settings).release('sweeper'));
      return { alone, beside, everything };
    }

    bench.say(`  a look: ${alone.toFixed(1)} ms without, ${beside.toFixed(1)} ms beside them`);
    return {
      figures: [
        {
          name: 'a look for due holds beside 1.2 million that ended under an open snapshot ÷ without',
          ...ratio(beside, alone, 'ms'),
          good: 'below',
          atLeast: 3,
          reachFor: 1.5,
        },
      ],
      measurements: {},
      notes: [
        `Once a minute a look covers everything, whatever has ended: ${everything.toFixed(0)} ms beside the 1.2 million.`,
      ],
    };
  },
};

/** No API runs on the database, so none ends them before. */
async function addEnded(database: Database, users: Ids, count: number): Promise<void> {
  const event = await openEvents(database, 1, count);
  await addHolds(database, { event, users, count, expiresAt: 'now()' });
  await database.script(
    `UPDATE tickets SET status = 'expired' WHERE status = 'reserved'`,
    'UPDATE inventory SET held = 0',
  );
}

/** As a worker has it. */
function dueHolds(dataSource: TixxetyDataSource, settings: ReturnType<typeof readSettings>): DueHolds {
  const statements = new Statements(dataSource, settings, dataSource.transactions);
  const networks = new NetworkKeys(settings);
  const repository = new InventoryRepository(dataSource.getRepository(Inventory), statements, networks);
  return new DueHolds(repository, new StuckRows(statements), new DatabaseClock(dataSource));
}

async function timeOfLook(holds: DueHolds): Promise<number> {
  const times: number[] = [];
  while (times.length < LOOKS) times.push(await timeOf(() => holds.release('sweeper')));
  return median(times);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
