/**
 * The callers. They ask for things of the owner, and for the event of the organizer, at whose gate the device is;
 * `elsewhere` has an event, too.
 */
export const CALLERS = ['nobody', 'another', 'owner', 'organizer', 'elsewhere', 'admin', 'device'] as const;
export type CallerName = (typeof CALLERS)[number];
export type Statuses = Record<CallerName, number>;

const everybody = (status: number): Statuses => ({
  nobody: status,
  another: status,
  owner: status,
  organizer: status,
  elsewhere: status,
  admin: status,
  device: status,
});
const everybodySignedIn = (status: number): Statuses => ({
  ...everybody(status),
  nobody: 401,
  device: 403,
});
const ownerAndAdmin = (status: number): Statuses => ({
  ...everybodySignedIn(404),
  owner: status,
  admin: status,
});

const adminAlone = (status: number): Statuses => ({ ...everybodySignedIn(403), admin: status });
/** An order is its buyer's and the organizer's, and each of its tickets is shown to both. */
const parties = (status: number): Statuses => ({ ...ownerAndAdmin(status), organizer: status });

/** Others see the event, and are told that they may not do it. */
const organizerAndAdmin = (status: number, others = 403): Statuses => ({
  ...everybodySignedIn(others),
  organizer: status,
  admin: status,
});

/** Seen by nobody else, though the event is. */
const organizersOwn = (status: number): Statuses => ({
  ...everybodySignedIn(404),
  organizer: status,
  admin: status,
});

/** What is for the gate of the event. */
const gate = (status: number): Statuses => ({ ...organizerAndAdmin(status), device: status });

/** Every operation, and what each caller is answered. */
export const MATRIX: Record<string, Statuses> = {
  'GET /': everybody(200),
  'POST /auth/token': everybody(200),
  'POST /auth/revoke': everybody(200),
  'POST /users': everybody(201),
  'POST /auth/password': everybodySignedIn(204),
  'GET /users/{user_id}': ownerAndAdmin(200),
  'PATCH /users/{user_id}': ownerAndAdmin(200),
  'GET /users/{user_id}/sessions': ownerAndAdmin(200),
  'DELETE /sessions/{session_id}': ownerAndAdmin(204),
  'GET /users/for-you': ownerAndAdmin(200),
  'GET /users/{user_id}/tickets': ownerAndAdmin(200),
  'POST /events': everybodySignedIn(201),
  'GET /events': everybody(200),
  'GET /events/{event_id}': everybody(200),
  'POST /events/{event_id}/unlist': adminAlone(200),
  'POST /events/{event_id}/list': adminAlone(200),
  'PATCH /events/{event_id}': organizerAndAdmin(200),
  'DELETE /events/{event_id}': organizerAndAdmin(204),
  'GET /events/{event_id}/ticket-types': everybody(200),
  'POST /events/{event_id}/ticket-types': organizerAndAdmin(201),
  'GET /ticket-types/{ticket_type_id}': everybody(200),
  'PATCH /ticket-types/{ticket_type_id}': organizerAndAdmin(200),
  'DELETE /ticket-types/{ticket_type_id}': organizerAndAdmin(204),
  'GET /events/{event_id}/quotas': organizerAndAdmin(200),
  'POST /events/{event_id}/quotas': organizerAndAdmin(201),
  'GET /quotas/{quota_id}': organizersOwn(200),
  'PATCH /quotas/{quota_id}': organizersOwn(200),
  'GET /events/{event_id}/codes': organizerAndAdmin(200),
  'POST /events/{event_id}/codes': organizerAndAdmin(201),
  'GET /codes/{code_id}': organizersOwn(200),
  'PATCH /codes/{code_id}': organizersOwn(200),
  'DELETE /codes/{code_id}': organizersOwn(204),
  'POST /tickets': ownerAndAdmin(201),
  'GET /tickets/{ticket_id}': parties(200),
  'POST /tickets/{ticket_id}/pay': ownerAndAdmin(200),
  'POST /tickets/{ticket_id}/cancel': ownerAndAdmin(200),
  'PATCH /tickets/{ticket_id}': { ...ownerAndAdmin(200), organizer: 403 },
  // Let in, and told that it is not paid.
  'POST /tickets/{ticket_id}/void': { ...parties(409), owner: 403 },
  // Let in, and told that it is not paid.
  'GET /tickets/{ticket_id}/qr.svg': parties(409),
  'GET /tickets/{ticket_id}/qr.png': parties(409),
  'GET /tickets/{ticket_id}.pdf': parties(409),
  'GET /tickets/{ticket_id}.ics': parties(409),
  'GET /orders/{code}.pdf': parties(409),
  'GET /events/{event_id}.ics': everybody(200),
  'POST /orders': ownerAndAdmin(201),
  'GET /orders/{code}': parties(200),
  'POST /orders/{code}/cancel': parties(200),
  'POST /orders/{code}/extend': parties(200),
  'POST /orders/{code}/payments': { ...ownerAndAdmin(201), organizer: 403 },
  'GET /orders/{code}/payments': parties(200),
  // Let in, and told that nothing was paid.
  'POST /orders/{code}/refunds': { ...parties(409), owner: 403 },
  'GET /orders/{code}/refunds': parties(200),
  'POST /refunds/{refund_id}/retry': { ...parties(200), owner: 403 },
  // For callers without the signature of the provider.
  'POST /payments/events/{provider}': everybody(400),
  'GET /users/{user_id}/orders': ownerAndAdmin(200),
  'GET /events/{event_id}/orders': organizerAndAdmin(200),
  'GET /events/{event_id}/payments': organizerAndAdmin(200),
  'GET /events/{event_id}/summary': organizerAndAdmin(200),
  'POST /events/{event_id}/cancel': organizerAndAdmin(202),
  'GET /events/{event_id}/cancellation': organizerAndAdmin(200),
  'GET /.well-known/jwks.json': everybody(200),
  'GET /events/{event_id}/devices': organizerAndAdmin(200),
  'POST /events/{event_id}/devices': organizerAndAdmin(201),
  'GET /devices/{device_id}': organizersOwn(200),
  'DELETE /devices/{device_id}': organizersOwn(204),
  'POST /events/{event_id}/check-ins': gate(200),
  'POST /events/{event_id}/check-ins/batch': gate(200),
  'GET /events/{event_id}/check-ins': organizerAndAdmin(200),
  'GET /events/{event_id}/gate': gate(200),
  'GET /events/{event_id}/attendees': organizerAndAdmin(200),
};

/** The same for a draft, where it is another. */
export const OF_A_DRAFT: Record<string, Statuses> = {
  'GET /events/{event_id}.ics': { ...organizerAndAdmin(200, 404), nobody: 404, device: 404 },
  'GET /events/{event_id}': { ...organizerAndAdmin(200, 404), nobody: 404, device: 404 },
  'PATCH /events/{event_id}': organizerAndAdmin(200, 404),
  'DELETE /events/{event_id}': organizerAndAdmin(204, 404),
};
