import { placeOf } from '../config/database-url';
import { StartupError } from '../config/startup-error';

export const POOLER =
  'DATABASE_URL names a pooler such as PgBouncer, which does not pass on the settings of a session: set ' +
  'DATABASE_POOLER=transaction, or connect to PostgreSQL itself.';

type Place = Record<'user' | 'database', string>;

/** What to mend, by the code and the text of the error; the first that fits. */
const WAYS_OUT: [fits: RegExp, wayOut: (place: Place) => string][] = [
  [/^3D000/, ({ database }) => `create it there (createdb ${database}), or correct DATABASE_URL`],
  [
    /^28P01|client password/,
    ({ user }) =>
      `correct user and password in DATABASE_URL, or set them there (CREATE ROLE ${user} LOGIN PASSWORD '…', or ALTER ROLE)`,
  ],
  [
    /^28/,
    ({ user }) =>
      `correct the user in DATABASE_URL, or let it in there (CREATE ROLE ${user} LOGIN PASSWORD '…', or pg_hba.conf)`,
  ],
  [/^42501/, () => 'give the role that right there, or correct DATABASE_URL and PGOPTIONS'],
  [/^(22|42)/, () => 'correct `options` of DATABASE_URL, or PGOPTIONS'],
  [/^53300/, () => 'raise max_connections there, lower WEB_CONCURRENCY, or put PgBouncer in between'],
  [/^57P03/, () => 'try again in a moment'],
  [/not support SSL/, () => 'turn ssl on there, or set sslmode=disable in DATABASE_URL'],
  [/, open '/, () => 'correct the path of that file in DATABASE_URL'],
  [
    /cert|PEM/i,
    () =>
      'correct sslrootcert of DATABASE_URL, the file of its CA, or set sslmode=no-verify to trust any server',
  ],
];
const ELSE = 'start PostgreSQL there, correct DATABASE_URL, or unset it to use the embedded PostgreSQL';

/** What kept a process from connecting, as a sentence with the way out; an error of another kind as it is. */
export function connectionError(error: unknown, url: string): unknown {
  const {
    code = '',
    severity,
    message,
    errors,
  } = error as NodeJS.ErrnoException & { severity?: string; errors?: Error[] };
  if (message.includes('startup parameter')) return new StartupError(POOLER);
  const isConnection =
    severity === 'FATAL' ||
    /^(E[A-Z]+|28|3D|53|57P|08)|CERT/.test(code) ||
    /timeout|terminated|SSL|SASL/.test(message);
  if (!isConnection) return error;
  const reason = message || errors?.[0]?.message;
  const [, wayOut] = WAYS_OUT.find(([fits]) => fits.test(`${code} ${reason}`)) ?? [];
  return new StartupError(
    `DATABASE_URL: no connection to ${placeOf(url)} (${reason}); ${wayOut?.(placeIn(url)) ?? ELSE}.`,
  );
}

function placeIn(url: string): Place {
  const { username, pathname, searchParams } = new URL(url);
  const user = searchParams.get('user') ?? decodeURIComponent(username);
  return { user, database: decodeURIComponent(pathname.slice(1)) || user };
}
