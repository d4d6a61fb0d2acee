import { createCipheriv, type Cipher } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Crockford's base 32: no I, L, O or U (https://www.crockford.com/base32.html). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 10;
const HALF_BITS = 25;
const HALF = 2 ** HALF_BITS;
const ROUNDS = 6;

/**
 * Names orders towards clients. A code is the order's id, encrypted by a Feistel network over its 50 bits with a key of the
 * installation: it tells nothing of how many orders there are, and needs neither a column nor an index.
 */
@Injectable()
export class OrderCodes implements OnModuleInit {
  private cipher: Cipher;

  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    const [{ key }] = await this.dataSource.query<[{ key: Buffer }]>(
      'SELECT order_code_key AS key FROM installation',
    );
    this.useKey(key);
  }

  /** @param key 16 bytes */
  useKey(key: Buffer): void {
    // ECB is right for single blocks: each is an input of the round function, none is a message.
    this.cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  }

  /** @returns 10 characters */
  codeOf(id: number): string {
    let [left, right] = [Math.floor(id / HALF), id % HALF];
    for (let round = 0; round < ROUNDS; round++) [left, right] = [right, left ^ this.mix(round, right)];
    let rest = left * HALF + right;
    let code = '';
    for (let i = 0; i < LENGTH; i++) {
      code = `${ALPHABET[rest % 32]}${code}`;
      rest = Math.floor(rest / 32);
    }
    return code;
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
    for (let round = ROUNDS - 1; round >= 0; round--) [left, right] = [right ^ this.mix(round, left), left];
    return left * HALF + right;
  }

  private readonly block = Buffer.alloc(16);

  private mix(round: number, half: number): number {
    this.block.writeUInt32BE(half, 0);
    this.block.writeUInt8(round, 4);
    return this.cipher.update(this.block).readUInt32BE(0) >>> (32 - HALF_BITS);
  }
}
