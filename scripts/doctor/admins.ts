import type { DataSource } from 'typeorm';
import type { Settings } from '../../src/config/settings';
import { emailKey } from '../../src/text/email';
import { plural, type Finding } from './report';

const SHOWN = 5;

/** Accounts that are still admins although `ADMIN_EMAIL` names another one now. */
export async function checkAdmins(database: DataSource, { ADMIN_EMAIL }: Settings): Promise<Finding> {
  if (ADMIN_EMAIL === undefined)
    return { status: 'ok', message: 'ADMIN_EMAIL is not set: nothing to compare with' };
  const others = await database.query<{ id: number; email: string }[]>(
    `SELECT id, email FROM users WHERE role = 'admin' AND email_key <> $1 ORDER BY id LIMIT $2`,
    [emailKey(ADMIN_EMAIL), SHOWN + 1],
  );
  if (others.length === 0) return { status: 'ok', message: 'No admin but that of ADMIN_EMAIL' };
  const names = others.slice(0, SHOWN).map(({ id, email }) => `user ${id}, ${email}`);
  return {
    status: 'warning',
    message: `${plural(names.length, 'other admin')}${others.length > SHOWN ? ' and more' : ''}: ${names.join('; ')}`,
    advice: `Where one is a former ADMIN_EMAIL: UPDATE users SET role = 'user' WHERE id = …; its access token ends within 15 minutes.`,
  };
}
