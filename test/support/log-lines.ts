/** A line of the log. */
export interface LogLine {
  level: number;
  pid: number;
  msg: string;
  [field: string]: unknown;
}

/**
 * The lines of a log, each an object.
 *
 * @throws when one is none, as what is printed for people would be
 */
export const logLines = (output: string): LogLine[] =>
  output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
