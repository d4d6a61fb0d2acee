import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { violatedConstraint } from '../database/database-error';
import type { OrganizerScope } from '../database/scope';
import { EventAccessService } from '../event-access/event-access.service';
import { isId, ofList, pageOf, sortKeyOf, type Page, type PageQuery } from '../http/page';
import { Problem } from '../problems/problem';
import { hashOf } from './device-directory';
import { DEVICES_EVENT_FKEY } from './device.entity';
import { DevicesRepository, type DeviceView } from './devices.repository';

/** More than any gate has, and as many as a list of all of them may show. */
const MOST_DEVICES = 500;
const SECRET_BYTES = 24;

/** The devices of an event, for its organizer. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly repository: DevicesRepository,
    private readonly access: EventAccessService,
  ) {}

  /**
   * Makes a device for the gate of an event.
   *
   * @returns it, and its token, which is not kept and can't be told again
   * @throws {Problem} `event_not_found`, `forbidden`, `too_many_devices`
   */
  async create(
    eventId: number,
    name: string,
    scope: OrganizerScope,
  ): Promise<DeviceView & { token: string }> {
    await this.access.requireOrganizer(eventId, scope);
    const token = `gate_${eventId}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
    const device = await this.repository
      .add(eventId, name, hashOf(token), MOST_DEVICES)
      .catch((error: unknown) => {
        // It was deleted since the look.
        throw violatedConstraint(error) === DEVICES_EVENT_FKEY ? new Problem('event_not_found') : error;
      });
    if (!device) throw new Problem('too_many_devices');
    return { ...device, token };
  }

  /** @throws {Problem} `event_not_found`, `forbidden` */
  async listByEvent(eventId: number, scope: OrganizerScope, query: PageQuery): Promise<Page<DeviceView>> {
    await this.access.requireOrganizer(eventId, scope);
    const list = ofList(query, 'devices', eventId);
    const [after] = sortKeyOf<[id: number]>(list, isId) ?? [0];
    const rows = await this.repository.listByEvent(eventId, after, query.limit + 1);
    return pageOf(rows, list, ({ id }) => [id]);
  }

  /** @throws {Problem} `device_not_found` */
  async get(id: number, scope: OrganizerScope): Promise<DeviceView> {
    const device = await this.repository.findOwn(id, scope);
    if (!device) throw new Problem('device_not_found');
    return device;
  }

  /**
   * Takes the token of a device back, at once.
   *
   * @throws {Problem} `device_not_found`
   */
  async revoke(id: number, scope: OrganizerScope): Promise<void> {
    if (!(await this.repository.revoke(id, scope))) throw new Problem('device_not_found');
  }
}
