import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { Statements, type Statement } from '../../src/database/statements';
import {
  placeOrdersFunction,
  type PLACE_ORDERS_GUARDS,
} from '../../src/inventory/place-orders/place-orders.function';
import { TicketsService } from '../../src/tickets/tickets.service';
import { startTestApi, type TestApi } from './api';
import { createDatabase, type TestDatabase } from './databases';
import type { Sql } from './seat-game';
import { INVENTORY_MISMATCHES, REMOVE_EVENTS } from './seats';

/**
 * What a suite of games begins with: two APIs on one database, and connections of its own. After each test the events are
 * removed.
 *
 * @param environment of the APIs
 */
export function gameSuite(environment: Record<string, string>) {
  let database: TestDatabase;
  let pool: Pool;
  const apis: TestApi[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    pool = new Pool({ connectionString: database.url });
    pool.on('error', () => undefined); // its last connections may still be closing when the database is dropped
    const start = () => startTestApi({ ...environment, DATABASE_URL: database.url });
    apis.push(...(await Promise.all([start(), start()])));
  });
  afterEach(() => sql(REMOVE_EVENTS));
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.stop()));
    await pool.end();
    await database.drop();
  });

  const sql: Sql = async (text, values) => (await pool.query(text, values)).rows;

  return {
    apis,
    sql,
    clients: () => apis.map(({ client }) => client),
    release: () => apis[0]?.app.get(TicketsService).releaseDueHolds('sweeper'),

    /** Counts all places again and again until it is over. */
    inspect: async (isOver: () => boolean): Promise<string[]> => {
      while (!isOver()) {
        const wrong = await sql(INVENTORY_MISMATCHES);
        if (wrong.length > 0) return [`places that do not add up meanwhile: ${JSON.stringify(wrong)}`];
        await sleep(5);
      }
      return [];
    },

    /** Lets the APIs run another text instead of a statement, such as one without its guard, until `guardAgain`. */
    unguard: (isMeant: (statement: Statement) => boolean, text: string): void => {
      for (const { app } of apis) {
        const statements = app.get(Statements);
        const run = statements.run.bind(statements);
        // Without a name: under its own it is prepared with its guards.
        statements.run = (statement: Statement, values: unknown[]) =>
          run(isMeant(statement) ? { text } : statement, values);
      }
    },
    /** Takes a guard out of the function that places orders, until `guardAgain`. */
    unguardPlacing: (guards: Partial<typeof PLACE_ORDERS_GUARDS>) => sql(placeOrdersFunction(guards)),
    guardAgain: async (): Promise<void> => {
      await sql(placeOrdersFunction());
      for (const { app } of apis) Reflect.deleteProperty(app.get(Statements), 'run');
    },
  };
}
