import { createApi } from '../../src/api';
import { createLogger } from '../../src/logging/logger';
import { Problem } from '../../src/problems/problem';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import { InventoryRepository, type HoldRequest } from '../../src/inventory/inventory.repository';
import { InventoryService } from '../../src/inventory/inventory.service';

const PATIENCE_MS = 2_000;

/** The API of this build with one difference: each reservation is a statement of its own, on any free connection. */
async function main(): Promise<void> {
  const settings = readSettings();
  const dataSource = await openDatabase({ settings, migrate: false, say: () => undefined }, 'api');
  const app = await createApi(settings, dataSource, createLogger(settings.LOG_LEVEL, 'api'));
  const repository = app.get(InventoryRepository);
  const reserve = async (request: HoldRequest) => {
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
    if (!answer) throw new Error('a reservation without an answer');
    if (answer.refusal) throw new Problem(answer.refusal);
    return answer;
  };
  Object.assign(app.get(InventoryService), { holdPlace: reserve });
  await app.listen(settings.PORT, settings.HOST);
  process.once('SIGTERM', () => void app.close().then(() => process.exit()));
}

void main();
