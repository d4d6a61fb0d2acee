import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { hash, verify, type Options } from '@node-rs/argon2';
import { Problem } from '../problems/problem';

/** What OWASP recommends at least for argon2id, the library's default: 19 MiB, 2 rounds, 1 lane. */
const PARAMETERS = {
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} satisfies Options;

/** Half the cores at most, and half of Node's four threads for such work: reservations go on beside a rush of sign-ins. */
const AT_ONCE = Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));
/** About two seconds' worth. */
const MOST_WAITING = 64;

/** A hash that no password has, as dear to compare with as a real one. */
const NOBODY = [
  `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}`,
  ...[16, 32].map((length) => randomBytes(length).toString('base64').replaceAll('=', '')),
].join('$');

/** Hashes and compares passwords with argon2id, a few at a time. */
@Injectable()
export class Passwords {
  private atWork = 0;
  private readonly waiting = new Set<() => void>();

  /**
   * @param gone when it is aborted before the work has begun, the work is dropped
   * @throws {Problem} `overloaded`
   */
  async hash(password: string, gone?: AbortSignal): Promise<string> {
    return await this.inLine(() => hash(normalized(password), PARAMETERS), gone);
  }

  /**
   * Whether the hash is that of the password. Without a hash it takes as long to say no.
   *
   * @param gone as for `hash`
   * @throws {Problem} `overloaded`
   */
  async verify(
    passwordHash: string | null | undefined,
    password: string,
    gone?: AbortSignal,
  ): Promise<boolean> {
    return await this.inLine(() => verify(passwordHash ?? NOBODY, normalized(password)), gone);
  }

  private async inLine<Result>(work: () => Promise<Result>, gone?: AbortSignal): Promise<Result> {
    if (gone?.aborted) throw overloaded();
    if (this.atWork < AT_ONCE) this.atWork++;
    else await this.turn(gone);
    try {
      return await work();
    } finally {
      const [next] = this.waiting;
      if (next) next();
      else this.atWork--;
    }
  }

  /** Waits until one that is at work gives its place. */
  private async turn(gone?: AbortSignal): Promise<void> {
    if (this.waiting.size >= MOST_WAITING) throw overloaded();
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        this.waiting.delete(begin);
        gone?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.waiting.delete(begin);
        reject(overloaded());
      };
      this.waiting.add(begin);
      gone?.addEventListener('abort', leave, { once: true });
    });
  }
}

const overloaded = () => new Problem('overloaded', { headers: { 'Retry-After': '2' } });

/** Keyboards spell one letter in several ways. */
const normalized = (password: string) => password.normalize('NFKC');
