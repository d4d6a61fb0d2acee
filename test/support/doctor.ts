import { examine } from '../../scripts/doctor/checks';
import { Report } from '../../scripts/doctor/report';
import { readSettings } from '../../src/config/settings';
import type { TestDatabase } from './databases';
import { runScript } from './processes';
import { TEST_SECRET } from './tokens';

/** The doctor of the database a spec has at that time. */
export function doctorOf(currentDatabase: () => TestDatabase) {
  const doctor = (args: string[] = [], environment: Record<string, string> = {}) =>
    runScript('doctor/main', args, { DATABASE_URL: currentDatabase().url, ...environment });

  /** The same in this process: what it found, by check. */
  async function findings(environment: Record<string, string> = {}, fix = false, provider = false) {
    const report = new Report(true);
    const settings = { DATABASE_URL: currentDatabase().url, JWT_SECRET: TEST_SECRET, ...environment };
    await examine(report, () => readSettings(settings), {
      fix,
      provider,
      progress: (_, work) => work(() => undefined),
      stopped: new AbortController().signal,
    });
    const checks = Object.fromEntries(report.checks.map((each) => [each.check, each]));
    return { code: report.exitCode, ...checks } as { code: number } & Record<
      string,
      Report['checks'][number]
    >;
  }

  return { doctor, findings };
}
