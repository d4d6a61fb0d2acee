import {
  PLACE_ORDERS_GUARDS,
  placeOrdersFunction,
} from '../../../src/inventory/place-orders/place-orders.function';
import type { PostgresServer } from './postgres';

/**
 * Takes the lock and the constraint away that keep places from being sold twice, and slows orders down between reading what
 * is free and taking it, so that a short run is enough for two to read the same.
 */
export async function takeGuardsOut(postgres: PostgresServer): Promise<void> {
  await postgres.sql('ALTER TABLE quotas DROP CONSTRAINT quotas_places_check');
  await postgres.sql(placeOrdersFunction({ lock: '', read: `${PLACE_ORDERS_GUARDS.read}, pg_sleep(0.1)` }));
}
