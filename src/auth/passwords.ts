import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { hash, verify, type Options } from '@node-rs/argon2';
import { promise as queue } from 'fastq';
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
  private readonly line = queue(async (work: () => Promise<unknown>) => await work(), AT_ONCE);

  /** @throws {Problem} `overloaded` */
  async hash(password: string): Promise<string> {
    return await this.inLine(() => hash(normalized(password), PARAMETERS));
  }

  /**
   * Whether the hash is that of the password. Without a hash it takes as long to say no.
   *
   * @throws {Problem} `overloaded`
   */
  async verify(passwordHash: string | null | undefined, password: string): Promise<boolean> {
    return await this.inLine(() => verify(passwordHash ?? NOBODY, normalized(password)));
  }

  private async inLine<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.line.length() >= MOST_WAITING)
      throw new Problem('overloaded', { headers: { 'Retry-After': '2' } });
    return (await this.line.push(work)) as Result;
  }
}

/** Keyboards spell one letter in several ways. */
const normalized = (password: string) => password.normalize('NFKC');
