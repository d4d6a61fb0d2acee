import { createApi } from '../../src/api';
import { createLogger } from '../../src/logging/logger';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import type { HeldOrder, HoldRequest } from '../../src/inventory/held-order';
import { outcomeOf } from '../../src/inventory/hold-refusal';
import { InventoryRepository } from '../../src/inventory/inventory.repository';
import { InventoryService } from '../../src/inventory/inventory.service';

const PATIENCE_MS = 2_000;

/** The API of this build with one difference: each reservation is a statement of its own, on any free connection. */
async function main(): Promise<void> {
  const settings = readSettings();
  const dataSource = await openDatabase({ settings, migrate: false, say: () => undefined }, 'api');
  const app = await createApi(settings, dataSource, createLogger(settings.LOG_LEVEL, 'api'));
  const repository = app.get(InventoryRepository);
  const holdPlaces = async (request: HoldRequest): Promise<HeldOrder> => {
    const { HOLD_SECONDS, MAX_HOLDS_PER_USER_EVENT, HOLD_COOL_DOWN_SECONDS, MAX_HOLDS_PER_NETWORK_EVENT } =
      settings;
    const [answer] = await repository.placeHolds(
      [request],
      HOLD_SECONDS,
      MAX_HOLDS_PER_USER_EVENT,
      HOLD_COOL_DOWN_SECONDS,
      MAX_HOLDS_PER_NETWORK_EVENT,
      PATIENCE_MS,
    );
    if (!answer) throw new Error('an order without an answer');
    const outcome = outcomeOf(answer, request);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  Object.assign(app.get(InventoryService), { holdPlaces });
  await app.listen(settings.PORT, settings.HOST);
  process.once('SIGTERM', () => void app.close().then(() => process.exit()));
}

void main();
