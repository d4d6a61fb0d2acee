/**
 * A part of a statement that gives it so many milliseconds for each lock, until its transaction ends; what locks must
 * come after it, by reading from `patience`. A pooler passes on no setting of a session, but this one.
 *
 * @param parameter such as `$4`
 */
export const waitAtMost = (parameter: string) =>
  `patience AS MATERIALIZED (SELECT set_config('lock_timeout', ${parameter}::int::text, true))`;
