import { Report } from './report';
import { withProgress } from '../progress';
import { endSignal, readArguments, runScript, say, ScriptError } from '../run-script';

const HELP = `Usage: tixxety doctor [options], or npm run doctor -- [options]

Checks the settings, PostgreSQL, Redis, the clocks, the seats of every event and the money of every order. Where something
is wrong, it says so, and what to do about it. Without --fix it changes nothing, and it locks nothing: it can run at any
time, beside everything else.

Options:
  --fix       set counters that differ from the tickets right
  --provider  ask the payment provider, too, whether its books agree with ours
  --json      print the findings as JSON
  -h, --help  show this help

Exit codes:
  0  all is sound; there may be warnings
  1  something is wrong
  2  something could not be checked
`;

const COULD_NOT_CHECK = 2;

runScript(async () => {
  const { values } = readArguments({
    fix: { type: 'boolean', default: false },
    provider: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) {
    say(HELP);
    return;
  }
  // Loads all that the application consists of, which help and refusals do without.
  const { examine } = await import('./checks.js');
  const { readSettings } = await import('../../src/config/settings.js');
  const stopping = new AbortController();
  void endSignal().then(() => stopping.abort(new ScriptError('Stopped before all was checked.')));
  const isWatched = process.stdout.isTTY && !values.json;
  const report = new Report(values.json);
  await examine(report, () => readSettings(), {
    fix: values.fix,
    provider: values.provider,
    stopped: stopping.signal,
    progress: (total, work) => (isWatched ? withProgress('Tickets', total, work) : work(() => undefined)),
  });
  report.end();
  process.exitCode = report.exitCode;
}, COULD_NOT_CHECK);
