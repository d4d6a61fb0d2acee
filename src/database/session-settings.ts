/*
 * Whatever a server, a database or a role may tell a session differently, and statements here depend on. Each stands
 * here as pg_settings shows it.
 */

export type SessionSettings = Record<string, string>;

/** What the same statement means and how its answer is written. */
export const MEANING = {
  array_nulls: 'on',
  bytea_output: 'hex',
  datestyle: 'ISO, MDY',
  default_transaction_deferrable: 'off',
  default_transaction_isolation: 'read committed',
  extra_float_digits: '1',
  intervalstyle: 'postgres',
  standard_conforming_strings: 'on',
  timezone: 'UTC',
};

/** What must be so where it can't be told to a session, behind a pooler: times are read right from any zone. */
export const REQUIRED: SessionSettings = {
  ...Object.fromEntries(Object.entries(MEANING).filter(([name]) => name !== 'timezone')),
  session_replication_role: 'origin', // else no trigger and no foreign key does its work
};

/** How long one who serves people waits, in milliseconds; a tool may take as long as it needs. */
export const LIMITS = {
  idle_in_transaction_session_timeout: '5000',
  idle_session_timeout: '0',
  lock_timeout: '2000',
  statement_timeout: '2500',
};

/**
 * A prepared statement keeps the plan that was made while its tables were small; every statement has its index, so no
 * plan may do without. Compiling one never pays at this length. Data is in memory or on a disk without moving parts:
 * else the planner would gather all that is due and sort it, rather than begin with the first.
 */
const PLANNER = { enable_seqscan: 'off', jit: 'off', random_page_cost: '1.1' };

/** What a session of ours is told when it begins. */
export const settingsFor = (role: 'api' | 'worker' | 'tool'): SessionSettings =>
  role === 'tool' ? MEANING : { ...MEANING, ...LIMITS, ...PLANNER };

/** As the startup parameter `options` takes them. */
export const asOptions = (settings: SessionSettings): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`)
    .join(' ');

/** The settings in foreign `options`, such as those of DATABASE_URL, by their names. */
export function settingsIn(options: string): SessionSettings {
  const given = options.matchAll(/(?:^|\s)(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)/gs);
  return Object.fromEntries(
    [...given].map(([, name = '', value = '']) => [
      name.toLowerCase().replaceAll('-', '_'),
      value.replace(/\\(.)/gs, '$1'),
    ]),
  );
}

/** What the session it is asked in has of these, by name. */
export const READ_SETTINGS =
  'SELECT lower(name) AS name, setting FROM pg_settings WHERE lower(name) = ANY ($1::text[])';

/** The settings that are not as wanted, as `name is this, not that`. */
export function differences(
  wanted: SessionSettings,
  rows: readonly { name: string; setting: string }[],
): string[] {
  return rows
    .filter(({ name, setting }) => wanted[name] !== undefined && !isSame(name, setting, wanted[name]))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, setting }) => `${name} is ${setting}, not ${wanted[name]}`);
}

/** Of the order of day and month only what is read would take notice, and what is sent here is ISO. */
function isSame(name: string, a: string, b: string): boolean {
  if (name === 'datestyle') return a.split(',')[0] === b.split(',')[0];
  if (name === 'timezone') return UTC.test(a) && UTC.test(b);
  // From 1 on, numbers are written so that they are read back as they were.
  if (name === 'extra_float_digits') return Number(a) >= 1;
  return a === b;
}

const UTC = /^(Etc\/)?(UTC|UCT|GMT|Universal|Zulu)$/i;
