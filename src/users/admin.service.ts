import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Passwords } from '../auth/passwords';
import { Settings } from '../config/settings';
import { StartupError } from '../config/startup-error';
import { Transactions } from '../database/transactions';
import { SessionsRepository } from './sessions.repository';
import { UsersRepository } from './users.repository';

/** Sees to it, before the API listens, that the admin of the settings exists; so may any number of processes at once. */
@Injectable()
export class AdminService implements OnApplicationBootstrap {
  constructor(
    private readonly settings: Settings,
    private readonly repository: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly passwords: Passwords,
    private readonly transactions: Transactions,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { ADMIN_EMAIL, ADMIN_PASSWORD } = this.settings;
    if (ADMIN_EMAIL === undefined || ADMIN_PASSWORD === undefined) return;
    const account = await this.repository.findLogin(ADMIN_EMAIL);
    const isAdmin =
      account?.role === 'admin' && (await this.passwords.verify(account.passwordHash, ADMIN_PASSWORD));
    if (isAdmin) return;
    const passwordHash = await this.passwords.hash(ADMIN_PASSWORD);
    await this.transactions.run(async () => {
      const id = await this.repository.putAdmin(ADMIN_EMAIL, passwordHash);
      await this.sessions.deleteOthers(id, undefined);
    });
  }
}

export interface AdminCredentials {
  ADMIN_EMAIL: string;
  ADMIN_PASSWORD: string;
}

/**
 * Credentials of an admin to try the API with, where it runs on its embedded database, outside production, and there
 * is no admin yet. They are kept in `admin.env` under `DATA_DIR`, for its owner's eyes: what a start prints is soon gone,
 * and must not stand in a log.
 */
export async function demoAdmin(
  { NODE_ENV, DATABASE_URL, DATA_DIR, ADMIN_EMAIL }: Settings,
  dataSource: DataSource,
): Promise<(AdminCredentials & { file: string }) | undefined> {
  if (NODE_ENV === 'production' || DATABASE_URL !== undefined || ADMIN_EMAIL !== undefined) return undefined;
  const admins: unknown[] = await dataSource.query(`SELECT FROM users WHERE role = 'admin' LIMIT 1`);
  if (admins.length > 0) return undefined;
  const admin = {
    ADMIN_EMAIL: 'admin@tixxety.example',
    ADMIN_PASSWORD: randomBytes(12).toString('base64url'),
  };
  const file = join(DATA_DIR, 'admin.env');
  const lines = Object.entries(admin).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(file, lines.join(''), { mode: 0o600 }).catch((error: unknown) => {
    throw new StartupError(
      `DATA_DIR: the password of the first admin could not be kept (${(error as Error).message}): allow this account to write there, or ` +
        'set ADMIN_EMAIL and ADMIN_PASSWORD.',
    );
  });
  return { ...admin, file };
}
