import { StartupError } from '../../src/config/startup-error';
import { Bench } from './bench';
import { checkTickets, SeatsMismatch } from './check';
import { Cleanup } from '../support/cleanup';
import { DatabaseServer } from './harness/database';
import { HELP, readOptions, type Options } from './options';
import type { Part } from './part';
import { drawCharts } from './report/charts';
import { describeCommit, describeMachine, sentenceOn } from './report/machine';
import { writeResults } from './report/page';
import { keepResults, readResults, type MeasuredPart, type Results } from './report/results';
import { figuresMarkdown, figuresTable, measurementsTable } from './report/table';
import { measureWindows } from './windows';

/** Progress is for the person who waits, results are for a file too. */
const tellProgress = (line: string) => void process.stderr.write(`${line}\n`);
const print = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    print(HELP);
    return;
  }
  if (options.redraw) {
    await redraw(options);
    return;
  }
  const cleanup = new Cleanup();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanup.run().finally(() => process.exit(130)));
  }
  try {
    await run(options, cleanup);
  } finally {
    await cleanup.run();
  }
}

async function run(options: Options, cleanup: Cleanup): Promise<void> {
  const start = performance.now();
  const server = await DatabaseServer.open(cleanup);
  const machine = describeMachine(server);
  tellProgress(sentenceOn(machine));
  const bench = new Bench(options, server, cleanup, tellProgress);
  const parts = await measure(bench, options.parts);
  tellProgress('Counting all seats');
  for (const database of bench.databases) await checkTickets(database);

  tellProgress(`\n${measurementsTable(parts)}\n`);
  print(options.markdown ? figuresMarkdown(parts) : figuresTable(parts));
  const minutes = (performance.now() - start) / 60_000;
  print(`\n${sentenceOn(machine)}; ${new Date().toISOString().slice(0, 10)}; took ${minutes.toFixed(1)} min`);
  if (options.out === undefined) {
    tellProgress('These results are not kept; --out folder keeps them.');
    return;
  }
  await show(await keepResults(options.out, { machine, parts }), options.out, options.page);
}

async function redraw({ out, page }: Options): Promise<void> {
  const results = out === undefined ? undefined : await readResults(out);
  if (out === undefined || !results) {
    throw new StartupError(`There are no results in ${out}: measure first, without --redraw.`);
  }
  await show(results, out, page);
}

async function show(results: Results, out: string, page: string | undefined): Promise<void> {
  await drawCharts(out, results);
  if (page !== undefined) await writeResults(page, results);
  tellProgress(`Results and pictures are in ${out}${page === undefined ? '' : `, the table in ${page}`}.`);
}

async function measure(bench: Bench, parts: readonly Part[]): Promise<Record<string, MeasuredPart>> {
  const measured: Record<string, MeasuredPart> = {};
  const commit = describeCommit();
  const { rounds, seconds } = bench.terms;
  const windows = await measureWindows(
    bench,
    parts.flatMap(({ windows = [] }) => windows),
  );
  for (const part of parts) {
    tellProgress(`${part.name}: ${part.about}`);
    const report = await part.run(bench, (name) => {
      const summary = windows[name];
      if (!summary) throw new Error(`${part.name} does not say that it needs "${name}"`);
      return summary;
    });
    measured[part.name] = { ...report, at: new Date().toISOString(), commit, rounds, seconds };
  }
  return measured;
}

main().catch((error: unknown) => {
  const isExpected = error instanceof StartupError || error instanceof SeatsMismatch;
  process.stderr.write(`${isExpected ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
});
