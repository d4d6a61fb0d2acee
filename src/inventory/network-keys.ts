import { hash, hkdfSync } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings';
import type { Network } from '../http/network';

/**
 * Names networks by 64 bits, which tell no address without the server's secret. While the secret is rotated, processes
 * name a network differently, and each name has room of its own.
 */
@Injectable()
export class NetworkKeys {
  private readonly key: Buffer;
  private readonly isUsed: boolean;

  constructor({ JWT_SECRET: [secret = ''] = [], MAX_HOLDS_PER_NETWORK_EVENT }: Settings) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'tixxety networks of holds', 32));
    this.isUsed = MAX_HOLDS_PER_NETWORK_EVENT > 0;
  }

  /**
   * The name of an IPv4 address, or of the /48 of IPv6 that one customer may have.
   *
   * @returns a bigint in digits; null where no network is counted
   */
  keyOf(network: Network | undefined): string | null {
    if (!this.isUsed || network === undefined) return null;
    const { address, site = address } = network;
    return hash('sha256', Buffer.concat([this.key, Buffer.from(site)]), 'buffer')
      .readBigInt64BE()
      .toString();
  }
}
