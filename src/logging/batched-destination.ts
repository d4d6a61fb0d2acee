import { pino, type DestinationStream } from 'pino';

/**
 * Writes lines to a file descriptor, those of one turn of the event loop together: when many answers go out at once,
 * their log is one system call. What a process says before it ends is written on its way out.
 */
export function batchedDestination(fd: number): DestinationStream {
  const file = pino.destination({ fd, sync: true });
  // A log without a reader is no reason to stop selling.
  file.on('error', () => undefined);
  let lines = '';
  const flush = () => {
    const written = lines;
    lines = '';
    if (written !== '') file.write(written);
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
  };
}
