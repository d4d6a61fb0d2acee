import { createHash } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import type { Request, RequestHandler, Response } from 'express';
import { LRUCache } from 'lru-cache';
import type { Account } from '../auth/caller';
import { Settings } from '../config/settings';
import { networkOf } from '../http/network';
import { goneSignal } from '../http/under-way';
import { Problem } from '../problems/problem';
import { RateLimitGuard } from '../rate-limit/rate-limit.guard';
import { Turns } from '../rate-limit/turns';
import { emailKey } from '../text/email';
import { SessionsService, type Login } from '../users/sessions.service';

/** The dashboard asks every few seconds, and comparing a password takes a good part of one. */
const REMEMBERED = { max: 100, ttl: 5 * 60_000 };

/** Lets admins in by e-mail and password, for which the browser asks (HTTP Basic, RFC 7617). */
export function adminsOnly(app: INestApplication): RequestHandler {
  const sessions = app.get(SessionsService, { strict: false });
  const takeTurn = turnsOfPasswords(app);
  const known = new LRUCache<string, Login>(REMEMBERED);

  async function accountOf(request: Request, response: Response): Promise<Account | undefined> {
    const { email, password } = isForeign(request) ? {} : credentialsOf(request);
    if (email === undefined || password === undefined) return undefined;
    const key = createHash('sha256')
      .update(`${emailKey(email)}\0${password}`)
      .digest('base64');
    const remembered = async () => {
      const login = known.get(key);
      return login && (await sessions.recall(login));
    };
    const account = await remembered();
    if (account) return account;
    const end = await takeTurn(request, response);
    try {
      // A page asks for its parts at once: the first of them may have been let in while the others waited.
      const login =
        (await remembered()) ??
        (await sessions.authenticate(email, password, networkOf(request.address), goneSignal(response)));
      known.set(key, login);
      return login;
    } finally {
      end();
    }
  }

  return (request, response, next) => {
    accountOf(request, response).then(
      (account) => next(account?.role === 'admin' ? undefined : refusal()),
      (error: unknown) =>
        next(error instanceof Problem && error.code === 'invalid_credentials' ? refusal() : error),
    );
  };
}

/** No longer than at the door: finding an e-mail's normal form takes the longer the longer it is. */
function credentialsOf({ headers }: Request): { email?: string; password?: string } {
  const [, encoded = ''] = /^Basic +([\w+/]+=*)$/i.exec(headers.authorization ?? '') ?? [];
  const decoded = Buffer.from(encoded, 'base64').toString();
  const [, email, password] = /^([^:]{1,255}):(.{1,128})$/su.exec(decoded) ?? [];
  return { email, password };
}

/** Guards and interceptors look only at what controllers answer: here, passwords count and wait by the same limits. */
function turnsOfPasswords(app: INestApplication) {
  if (app.get(Settings, { strict: false }).RATE_LIMIT_PER_MINUTE === 0) return () => () => undefined;
  const limit = app.get(RateLimitGuard, { strict: false });
  const turns = app.get(Turns, { strict: false });
  return async (request: Request, response: Response) => {
    await limit.countCredentials(request, response);
    return await turns.takeFor(networkOf(request.address), 'passwords', goneSignal(response));
  };
}

/**
 * Browsers add the password to whatever any page sends here; what another site sends counts for nothing. Browsers that do
 * not say which site asks name its origin with what changes anything. (Behind a proxy its scheme may be another.)
 */
function isForeign(request: Request): boolean {
  const { origin } = request.headers;
  const isFromElsewhere = origin !== undefined && hostOf(origin) !== request.host;
  return isFromElsewhere || !['same-origin', 'none'].includes(request.headers['sec-fetch-site'] ?? 'none');
}

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);

const refusal = () =>
  new Problem('unauthenticated', {
    headers: { 'WWW-Authenticate': 'Basic realm="Tixxety queues", charset="UTF-8"' },
  });
