import type { ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { createApi } from '../../src/api';
import { AuthGuard } from '../../src/auth/auth.guard';
import { createLogger } from '../../src/logging/logger';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import { RateLimitGuard } from '../../src/rate-limit/rate-limit.guard';

/** The API of this build with one difference: it takes each caller for an admin, verifies no token and counts no requests. */
async function main(): Promise<void> {
  AuthGuard.prototype.canActivate = (context: ExecutionContext) => {
    context.switchToHttp().getRequest<Request>().caller = {
      userId: 1,
      role: 'admin',
      issuedAt: Date.UTC(2100) / 1_000,
    };
    return true;
  };
  RateLimitGuard.prototype.canActivate = () => Promise.resolve(true);
  const settings = readSettings();
  const dataSource = await openDatabase({ settings, migrate: false, say: () => undefined }, 'api');
  const app = await createApi(settings, dataSource, createLogger(settings.LOG_LEVEL, 'api'));
  await app.listen(settings.PORT, settings.HOST);
  process.once('SIGTERM', () => void app.close().then(() => process.exit()));
}

void main();
