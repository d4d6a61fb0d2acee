import { parseArgs, type ParseArgsConfig } from 'node:util';
import { StartupError } from '../src/config/startup-error';

/** Writes a line for the person at the terminal. */
export const say = (message: string) => void process.stdout.write(`${message}\n`);

/** Runs a script to its end: what the operator can put right is told in one sentence, anything else as it is. */
export function runScript(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    const isExpected = error instanceof StartupError;
    process.stderr.write(`${isExpected ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exitCode = 1;
  });
}

/**
 * Reads the command line.
 *
 * @throws {StartupError} for what the script does not know
 */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(options: Options) {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new StartupError(`${(error as Error).message.split('. ', 1)[0]}. See --help.`);
  }
}
