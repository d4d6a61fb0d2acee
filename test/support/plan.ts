import type { Client } from 'pg';

export interface Plan {
  'Node Type': string;
  'Subplan Name'?: string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  /** Of a scan of what an index has found. */
  'Recheck Cond'?: string;
  'Order By'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  'Shared Hit Blocks'?: number;
  'Shared Read Blocks'?: number;
  Plans?: Plan[];
}

export const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** PostgreSQL reads no table from end to end, and uses just these indexes. */
export function expectIndexes(plan: Plan[], indexes: string[]): void {
  expect(
    plan.filter((node) => node['Node Type'].endsWith('Seq Scan')).map((node) => node['Relation Name']),
  ).toEqual([]);
  const used = plan.flatMap((node) => node['Index Name'] ?? []);
  expect([...new Set(used)].sort()).toEqual([...indexes].sort());
}

/** No set of rows is joined with another by comparing each with each. */
export function expectNoComparing(plan: Plan[]): void {
  const compared = plan.map(
    (node) => (node['Rows Removed by Join Filter'] ?? 0) * (node['Actual Loops'] ?? 1),
  );
  expect(Math.max(...compared)).toBeLessThan(1_000);
}

export const rowsOf = (plan: Plan[], name: string) =>
  plan.find((node) => node['Subplan Name'] === name)?.['Actual Rows'];

export const rowsReadBy = (node: Plan | undefined) =>
  ((node?.['Actual Rows'] ?? 0) + (node?.['Rows Removed by Filter'] ?? 0)) * (node?.['Actual Loops'] ?? 0);

export const pagesReadBy = (node: Plan | undefined) =>
  (node?.['Shared Hit Blocks'] ?? 0) + (node?.['Shared Read Blocks'] ?? 0);

/** How PostgreSQL plans and runs statements, by the connection a spec has at that time. */
export function explainBy(currentClient: () => Client) {
  async function explain(text: string, values: unknown[] = [], options = ''): Promise<Plan[]> {
    const { rows } = await currentClient().query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `EXPLAIN (FORMAT JSON${options}) ${text}`,
      values,
    );
    return rows.flatMap((row) => nodesOf(row['QUERY PLAN'][0].Plan));
  }

  /** Runs the statement for the sake of its figures, and undoes it. */
  const analyze = (text: string, values: unknown[]) =>
    undone(() => explain(text, values, ', ANALYZE, BUFFERS'));

  async function undone<Result>(work: () => Promise<Result>): Promise<Result> {
    await currentClient().query('BEGIN');
    try {
      return await work();
    } finally {
      await currentClient().query('ROLLBACK');
    }
  }

  const explainWithout = (index: string, text: string, values: unknown[]) =>
    undone(async () => {
      await currentClient().query(`DROP INDEX ${index}`);
      return await explain(text, values);
    });

  async function explainGeneric(text: string, literals: string): Promise<Plan[]> {
    await currentClient().query('SET plan_cache_mode = force_generic_plan');
    await currentClient().query(`PREPARE statement AS ${text}`);
    try {
      return await explain(`EXECUTE statement (${literals})`);
    } finally {
      await currentClient().query('DEALLOCATE statement; RESET plan_cache_mode');
    }
  }

  return { explain, analyze, undone, explainWithout, explainGeneric };
}

/** Drops an index, and makes it again after the work. */
export async function withoutIndex<Result>(
  client: Client,
  index: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows: kept } = await client.query<{ text: string }>(
    'SELECT pg_get_indexdef($1::regclass) AS text',
    [index],
  );
  await client.query(`DROP INDEX ${index}`);
  const result = await work();
  await client.query(kept[0]?.text ?? '');
  return result;
}

const READ_SO_FAR = `
  SELECT c.relname AS name, c.relkind = 'r' AS "isTable", pg_stat_get_xact_numscans(c.oid)::int AS scans,
    pg_stat_get_xact_tuples_returned(c.oid)::int AS rows
  FROM pg_class AS c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
  ORDER BY c.relname`;

interface Reads {
  name: string;
  isTable: boolean;
  scans: number;
  rows: number;
}

/** What a statement reads, in the functions that it calls, too, which show in no plan. Undoes what the statement does. */
export async function readsOf(client: Client, text: string, values: unknown[]) {
  await client.query('BEGIN');
  try {
    // PostgreSQL still counts what this session read a moment ago.
    const { rows: before } = await client.query<Reads>(READ_SO_FAR);
    const { rowCount } = await client.query(text, values);
    const { rows: after } = await client.query<Reads>(READ_SO_FAR);
    const rows = after
      .map((read, i) => ({
        ...read,
        scans: read.scans - (before[i]?.scans ?? 0),
        rows: read.rows - (before[i]?.rows ?? 0),
      }))
      .filter(({ scans }) => scans > 0);
    const indexes = rows.filter(({ isTable }) => !isTable);
    return {
      answers: rowCount,
      /** Tables that are read from end to end. */
      tables: rows.filter(({ isTable }) => isTable).map(({ name }) => name),
      indexes: indexes.map(({ name }) => name).sort(),
      rows: indexes.reduce((sum, index) => sum + index.rows, 0),
    };
  } finally {
    await client.query('ROLLBACK');
  }
}
