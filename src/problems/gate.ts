import type { ProblemKind } from './problem-kind';

/** The gate of an event. */
export const GATE_PROBLEMS = {
  device_not_found: {
    status: 404,
    title: 'Device not found',
    detail: 'Device not found',
    advice:
      "Check the id against `GET /events/{event_id}/devices`, and whose token you send: it is the organizer's. One that was revoked is not found again.",
  },
  too_many_devices: {
    status: 409,
    title: 'Too many devices',
    detail: 'An event has at most 500 devices, and this one has as many',
    advice: 'Revoke those that you no longer need with `DELETE /devices/{device_id}`.',
  },
} as const satisfies Record<string, ProblemKind>;
