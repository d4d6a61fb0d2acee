import { createCipheriv, type Cipher } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';

/** Crockford's base 32: no I, L, O or U (https://www.crockford.com/base32.html). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 10;
const HALF_BITS = 25;
const HALF = 2 ** HALF_BITS;
const ROUNDS = 6;
const BLOCK_SIZE = 16;
/** Of orders that a process has to do with at the moment. */
const REMEMBERED = 10_000;

/**
 * Names orders towards clients. A code is the order's id, encrypted by a Feistel network over its 50 bits with a key of the
 * installation: it tells nothing of how many orders there are, and needs neither a column nor an index.
 */
@Injectable()
export class OrderCodes implements OnModuleInit {
  private cipher: Cipher;
  private readonly known = new LRUCache<number, string>({ max: REMEMBERED });

  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    const [{ key }] = await this.dataSource.query<[{ key: Buffer }]>(
      'SELECT order_code_key AS key FROM installation',
    );
    this.useKey(key);
  }

  /** @param key 16 bytes */
  useKey(key: Buffer): void {
    this.known.clear();
    // ECB is right for single blocks: each is an input of the round function, none is a message.
    this.cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  }

  /** @returns 10 characters */
  codeOf(id: number): string {
    const known = this.known.get(id);
    if (known !== undefined) return known;
    this.prepare([id]);
    return this.known.get(id) as string;
  }

  /** Makes the codes of orders that are about to be shown: Node takes ten times as long to be called as to encrypt a block. */
  prepare(orderIds: readonly number[]): void {
    const ids = orderIds.filter((id) => !this.known.has(id));
    if (ids.length === 0) return;
    let lefts = ids.map((id) => Math.floor(id / HALF));
    let rights = ids.map((id) => id % HALF);
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = this.mix(round, rights);
      [lefts, rights] = [rights, lefts.map((left, i) => left ^ (mixed[i] as number))];
    }
    ids.forEach((id, i) => this.known.set(id, textOf((lefts[i] as number) * HALF + (rights[i] as number))));
  }

  /** @returns undefined where no order can have the code; case, hyphens and look-alikes are forgiven as Crockford asks */
  idOf(code: string): number | undefined {
    const plain = code.toUpperCase().replaceAll('-', '').replaceAll(/[IL]/g, '1').replaceAll('O', '0');
    if (plain.length !== LENGTH) return undefined;
    let rest = 0;
    for (const character of plain) {
      const value = ALPHABET.indexOf(character);
      if (value < 0) return undefined;
      rest = rest * 32 + value;
    }
    let [left, right] = [Math.floor(rest / HALF), rest % HALF];
    for (let round = ROUNDS - 1; round >= 0; round--) {
      const [mixed = 0] = this.mix(round, [left]);
      [left, right] = [right ^ mixed, left];
    }
    const id = left * HALF + right;
    this.known.set(id, plain);
    return id;
  }

  /** The round function: the first bits of each half and the round, encrypted. */
  private mix(round: number, halves: readonly number[]): number[] {
    const blocks = Buffer.alloc(BLOCK_SIZE * halves.length);
    halves.forEach((half, i) => {
      blocks.writeUInt32BE(half, BLOCK_SIZE * i);
      blocks.writeUInt8(round, BLOCK_SIZE * i + 4);
    });
    const mixed = this.cipher.update(blocks);
    return halves.map((_, i) => mixed.readUInt32BE(BLOCK_SIZE * i) >>> (32 - HALF_BITS));
  }
}

function textOf(bits: number): string {
  let rest = bits;
  let code = '';
  for (let i = 0; i < LENGTH; i++) {
    code = `${ALPHABET[rest % 32]}${code}`;
    rest = Math.floor(rest / 32);
  }
  return code;
}
