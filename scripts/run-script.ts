import { StartupError } from '../src/config/startup-error';

export { readArguments } from '../src/config/command-line';

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

/** Resolves with the first signal that asks this process to end, which then does not end by itself. */
export async function endSignal(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
  });
}
