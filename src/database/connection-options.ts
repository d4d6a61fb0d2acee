import { defaults, type PoolClient, type PoolConfig } from 'pg';
import type { Settings } from '../config/settings';
import { StartupError } from '../config/startup-error';
import { breakOffUseless, outliveErrors } from './connections';
import { asOptions, settingsFor, settingsIn } from './session-settings';

/**
 * The kind of process that connects. A server answers people, so its statements have time limits; a tool may take as long as it
 * needs. Of the APIs only one may have an embedded database to itself.
 */
export type Role = 'api' | 'worker' | 'tool';

// Else a time goes out by the zone of this process, whose offset may have seconds, which the driver leaves out.
defaults.parseInputDatesAsUTC = true;

/** Kept by the driver: longer than the session's, whose errors say more. */
const DRIVER_LIMITS = { connectionTimeoutMillis: 2_000, query_timeout: 3_000 };

/** The driver reads them from a URL before it reads ours. */
const TIME_LIMITS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
];

/** What the driver makes something of, beside the time limits and what stands below. */
const KNOWN =
  /^(host|port|user|password|database|ssl|sslmode|sslcert|sslkey|sslrootcert|sslnegotiation|uselibpqcompat|fallback_application_name)$/;

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

export interface ConnectionOptions {
  /** The rest of the operator's URL, for the driver. */
  url: string | undefined;
  applicationName: string;
  extra: Omit<PoolConfig, 'onConnect'> & { onConnect?: (client: PoolClient) => void };
}

/**
 * How the driver connects: what `DATABASE_URL` says, together with what every session here needs. The driver would let
 * a URL overwrite ours, and leave out in silence what it does not know.
 *
 * @param say tells of parameters that change nothing
 * @throws {StartupError} where both can't be had
 */
export function connectionOptions(
  { DATABASE_URL, DATABASE_POOLER }: Settings,
  role: Role,
  say: (message: string) => void,
): ConnectionOptions {
  const url = DATABASE_URL === undefined ? undefined : new URL(DATABASE_URL);
  const params = url?.searchParams ?? new URLSearchParams();
  refuseOthers(params);
  const hasSessions = DATABASE_POOLER === 'none';
  const ours = settingsFor(role);
  const theirs = take(params, 'options');
  if (theirs && !hasSessions) throw new StartupError(NO_OPTIONS);
  for (const [name, value] of Object.entries(settingsIn(theirs))) {
    if (ours[name] !== undefined && ours[name] !== value)
      throw new StartupError(setByUs(name, 'DATABASE_URL or PGOPTIONS', ours[name]));
  }
  const seconds = take(params, 'connect_timeout');
  if (!/^\d*$/.test(seconds)) throw refusal('connect_timeout must be a whole number of seconds');
  const applicationName = `${take(params, 'application_name') || 'tixxety'} ${role}`;
  const unknown = [...params.keys()].filter((name) => !KNOWN.test(name));
  if (unknown.length > 0) say(`DATABASE_URL: ${unknown.join(', ')} is not known here and changes nothing.`);
  return {
    url: url?.href,
    applicationName,
    extra: {
      onConnect: role === 'tool' ? outliveErrors : breakOffUseless(),
      ...(role !== 'tool' && DRIVER_LIMITS),
      ...(Number(seconds) > 0 && { connectionTimeoutMillis: Number(seconds) * 1_000 }),
      ...(hasSessions && { options: `${theirs} ${asOptions(ours)}`.trim() }),
    },
  };
}

function refuseOthers(params: URLSearchParams): void {
  for (const name of TIME_LIMITS) if (params.has(name)) throw new StartupError(setByUs(name));
  const encoding = take(params, 'client_encoding');
  if (!/^(|auto|utf-?8|unicode)$/i.test(encoding)) throw refusal('client_encoding must be UTF8');
  const mode = params.get('sslmode') ?? 'disable';
  if (!SSL_MODES.includes(mode)) throw refusal(`sslmode must be one of ${SSL_MODES.join(', ')}`);
  // With these the driver throws, or connects somewhere else, and does not say what of the URL is wrong.
  if (mode === 'verify-ca' && !params.has('sslrootcert'))
    throw refusal('sslmode=verify-ca needs sslrootcert');
  if (!/^(postgres|direct)$/.test(params.get('sslnegotiation') ?? 'direct'))
    throw refusal('sslnegotiation must be postgres or direct');
  const port = params.get('port') ?? '1';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw refusal('port must be a whole number from 1 to 65535');
}

/** Takes the parameter out of the URL. */
function take(params: URLSearchParams, name: string): string {
  const value = params.get(name) ?? '';
  params.delete(name);
  return value;
}

const refusal = (what: string) => new StartupError(`DATABASE_URL: ${what}.`);

const setByUs = (name: string, where = 'DATABASE_URL', value?: string) =>
  `${where} sets ${name}, which Tixxety sets itself${value === undefined ? '' : ` to ${value}`}: take it out.`;

const NO_OPTIONS =
  'DATABASE_URL has `options`, or PGOPTIONS is set, which a pooler does not pass on: give them where it makes its ' +
  'sessions (connect_query in pgbouncer.ini).';
