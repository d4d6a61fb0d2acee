import { Injectable } from '@nestjs/common';
import type { DeviceCaller } from '../auth/device';
import { issuedAtIn, organizerIn, type OrganizerScope } from '../database/scope';
import { Statements } from '../database/statements';
import {
  ADD_DEVICE,
  FIND_DEVICE,
  FIND_OWN_DEVICE,
  LIST_DEVICES,
  NOTE_DEVICE,
  REVOKE_DEVICE,
} from './devices.statements';

export interface DeviceView {
  id: number;
  eventId: number;
  name: string;
  createdAt: Date;
  seenAt: Date | null;
}

@Injectable()
export class DevicesRepository {
  constructor(private readonly statements: Statements) {}

  /** @returns undefined where the event has as many as it may have */
  async add(eventId: number, name: string, tokenHash: Buffer, most: number): Promise<DeviceView | undefined> {
    const [device] = await this.statements.change<DeviceView>(ADD_DEVICE, [eventId, name, tokenHash, most]);
    return device;
  }

  /** In the order of their ids, from behind `after` on. */
  async listByEvent(eventId: number, after: number, limit: number): Promise<DeviceView[]> {
    return await this.statements.list<DeviceView>(LIST_DEVICES, [eventId, after, limit]);
  }

  /** @returns undefined where it is no device of an event of the organizer */
  async findOwn(id: number, scope: OrganizerScope): Promise<DeviceView | undefined> {
    const values = [id, organizerIn(scope), issuedAtIn(scope)];
    return (await this.statements.run<DeviceView>(FIND_OWN_DEVICE, values))[0];
  }

  /** @returns whether there was one to revoke */
  async revoke(id: number, scope: OrganizerScope): Promise<boolean> {
    const revoked = await this.statements.change(REVOKE_DEVICE, [id, organizerIn(scope), issuedAtIn(scope)]);
    return revoked.length > 0;
  }

  async findByHash(tokenHash: Buffer): Promise<(DeviceCaller & { isNews: boolean }) | undefined> {
    const [device] = await this.statements.run<DeviceCaller & { isNews: boolean }>(FIND_DEVICE, [tokenHash]);
    return device;
  }

  async noteSeen(id: number): Promise<void> {
    await this.statements.run(NOTE_DEVICE, [id]);
  }
}
