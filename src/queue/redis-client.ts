import Redis, { type RedisOptions } from 'ioredis';

type Command = Parameters<Redis['sendCommand']>[0];

const RETRY_MS = 1_000;

/**
 * A connection whose failures neither end the process nor show what was sent. ioredis hangs the arguments of a command,
 * such as a password, on its error; and it forgets about promises of its own: that it subscribes again after a
 * reconnection, for one.
 */
export class RedisClient extends Redis {
  /** The commands that are tried again at the moment. */
  private readonly awaited = new Set<string>();
  private isAbandoned = false;

  constructor(url: string, options: RedisOptions) {
    super(url, options);
    // ioredis prints errors that have no listener.
    this.on('error', () => undefined);
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    const { reject } = command;
    command.reject = (error) => {
      if (this.isAbandoned) return;
      if (!this.tryAgain(command, reject)) reject(withoutArguments(error));
    };
    // A caller may leave the promise unhandled. Callers that await it get the error all the same.
    command.promise.catch(() => undefined);
    return super.sendCommand(command, stream);
  }

  /**
   * Closes the connection for good. Commands without an answer get none any more: the process ends, and Bull would leave
   * their rejections unhandled.
   */
  abandon(): void {
    this.isAbandoned = true;
    this.disconnect();
  }

  /** Bull subscribes once, when it starts, and works no job before: while Redis refuses the password it has to wait. */
  private tryAgain(command: Command, reject: (error: Error) => void): boolean {
    const { name, args } = command;
    const key = `${name} ${args.join()}`;
    if (!name.endsWith('subscribe') || this.status === 'end' || this.awaited.has(key)) return false;
    this.awaited.add(key);
    setTimeout(() => {
      this.awaited.delete(key);
      this.call(name, args as string[]).then((answer) => command.resolve(answer), reject);
    }, RETRY_MS).unref();
    return true;
  }
}

function withoutArguments(error: Error & { command?: { name: string } }): Error {
  if (error.command) error.command = { name: error.command.name };
  return error;
}

/** True for what Redis or the way there is to blame for, whichever part of a library it comes from. */
export const isRedisError = (error: unknown): boolean =>
  error instanceof Error &&
  (/^(ReplyError|AbortError|MaxRetriesPerRequestError|InterruptError)$/.test(error.name) ||
    'command' in error);
