import { Injectable } from '@nestjs/common';
import { Statements, type Statement } from '../database/statements';

/**
 * Devices that have called within the last day, and not for ten minutes, of events that are under way or begin within an
 * hour.
 */
export const COUNT_SILENT: Statement = {
  name: 'count_silent_devices',
  text: `
    SELECT count(*)::int AS number
    FROM devices JOIN events ON events.id = devices.event_id
    WHERE revoked_at IS NULL AND seen_at BETWEEN now() - interval '1 day' AND now() - interval '10 minutes'
      AND events.status = 'published' AND now() BETWEEN start_time - interval '1 hour' AND end_time`,
};

/** Tells of gates that may be without a network, or without a device. */
@Injectable()
export class SilentDevices {
  constructor(private readonly statements: Statements) {}

  async count(): Promise<number> {
    const [counted] = await this.statements.run<{ number: number }>(COUNT_SILENT, []);
    return counted?.number ?? 0;
  }
}
