import { parseArgs, type ParseArgsConfig } from 'node:util';
import { StartupError } from '../src/config/startup-error';

/** Why a script ends early, in words for the person at the terminal. */
export class ScriptError extends Error {}

/** Writes a line for the person at the terminal. */
export const say = (message: string) => void process.stdout.write(`${message}\n`);

// As in `doctor | head`: the reader has seen enough, and the exit code still tells what was found.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

/** Runs a script to its end; the exit code says when it throws, with a stack only for an error that is not expected. */
export function runScript(main: () => Promise<void>, failureCode = 1): void {
  main().catch((error: unknown) => {
    const isExpected = error instanceof ScriptError || error instanceof StartupError;
    process.stderr.write(`${isExpected ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exitCode = failureCode;
  });
}

/**
 * Reads the command line.
 *
 * @throws {ScriptError} for what the script does not know
 */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(options: Options) {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new ScriptError(`${(error as Error).message.split(/\.\s/, 1)[0]}. See --help.`);
  }
}

/** Resolves with the first signal that asks this process to end, which then does not end by itself. */
export async function endSignal(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
}
