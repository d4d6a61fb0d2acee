import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DeviceTokens, type DeviceCaller } from '../auth/device';
import { DevicesRepository } from './devices.repository';

/** What the database keeps of a token. */
export const hashOf = (token: string) => hash('sha256', token, 'buffer');

/**
 * For so long a device is taken for the one that it was. It only tells whose request it is, for the limits: whether the
 * device is still good each statement of the gate finds out for itself.
 */
const REMEMBERED = { max: 10_000, ttl: 1_000 };

/** Finds devices by their tokens. */
@Injectable()
export class DeviceDirectory extends DeviceTokens {
  private readonly known = new LRUCache<string, Promise<DeviceCaller | undefined>>(REMEMBERED);

  constructor(private readonly repository: DevicesRepository) {
    super();
  }

  async find(token: string): Promise<DeviceCaller | undefined> {
    const known = this.known.get(token);
    if (known) return await known;
    const found = this.look(token);
    this.known.set(token, found);
    const device = await found.catch((error: unknown) => {
      this.known.delete(token);
      throw error;
    });
    // Not remembered: guesses would push out those that are.
    if (!device) this.known.delete(token);
    return device;
  }

  private async look(token: string): Promise<DeviceCaller | undefined> {
    const device = await this.repository.findByHash(hashOf(token));
    if (!device) return undefined;
    const { deviceId, eventId, isNews } = device;
    // Whether it was noted makes no difference to the request.
    if (isNews) this.repository.noteSeen(deviceId).catch(() => undefined);
    return { deviceId, eventId };
  }
}
