import type { Logger } from 'pino';

/** With what `endNow` may add, ten seconds. */
const EXIT_LIMIT_MS = 8_500;
const SECOND_SIGNAL_MS = 500;

/**
 * Resolves at the first Ctrl-C or other signal that asks a process to end. A second Ctrl-C ends it without waiting for
 * what is under way, and so does time. A second SIGTERM does not: it may be the same one, sent to all of us and passed
 * on by npm; nor does the SIGHUP that a terminal sends when it closes.
 *
 * @param unfinished what an end would cut off now
 * @returns what ends the process once everything is closed
 */
export async function stopSignal(
  logger: Logger,
  unfinished: () => number | undefined,
  endNow: (code: number) => Promise<never>,
): Promise<() => never> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(name, resolve);
  });
  const begun = performance.now();
  const outcome = () => ({
    signal,
    ms: Math.round(performance.now() - begun),
    cut_off: unfinished(),
  });
  logger.info({ signal }, 'Stopping');
  const cutOff = (code: number, reason: string) => {
    logger.warn(outcome(), `Stopped ${reason}`);
    void endNow(code);
  };
  setTimeout(() => cutOff(1, 'because it took too long'), EXIT_LIMIT_MS).unref();
  // Not at once: npm passes on the Ctrl-C that the terminal has sent already.
  setTimeout(() => process.once('SIGINT', () => cutOff(130, 'by a second Ctrl-C')), SECOND_SIGNAL_MS).unref();
  return () => {
    logger.info(outcome(), 'Stopped');
    process.exit(0);
  };
}
