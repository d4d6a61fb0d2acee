import type { ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { createApi } from '../../src/api';
import { AuthGuard } from '../../src/auth/auth.guard';
import { createLogger } from '../../src/logging/logger';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import { RateLimitGuard } from '../../src/rate-limit/rate-limit.guard';

interface Payload {
  sub: string;
  iat: number;
}

/** The API of this build with one difference: it believes each token without verifying it, and counts no requests. */
async function main(): Promise<void> {
  AuthGuard.prototype.canActivate = (context: ExecutionContext) => {
    const request = context.switchToHttp().getRequest<Request>();
    const [, payload = ''] = request.headers.authorization?.split('.') ?? [];
    const { sub, iat } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Payload;
    request.caller = { userId: Number(sub), role: 'user', issuedAt: iat };
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
