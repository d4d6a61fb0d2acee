import type { Sold } from './single-tickets';
import type { Visitor } from './visitor';

/** A paid ticket is scanned at the gate, scanned again, and refused. */
export async function atTheGate(visitor: Visitor, { organizer, event, ticket }: Sold): Promise<void> {
  visitor.step('A phone is put at the gate', 'Its token is good for this gate alone, and shown this once.');
  const device = await visitor
    .as(organizer)
    .post(`/events/${event.id}/devices`, { name: 'North entrance' }, 201, { event_id: event.id });
  const phone = visitor.as({ ...device, name: 'Phone', access_token: String(device.token) });
  const scan = (nonce: string, token = ticket.token) => ({ token, nonce, kind: 'entry' });
  const path = `/events/${event.id}/check-ins`;

  visitor.step('The ticket is scanned', 'Its code is signed; the name of nobody is in it.');
  await phone.post(path, scan('scan-1'), 200, { result: 'admitted', ticket: { id: ticket.id } });

  visitor.step('The answer was lost, and the phone asks again', 'The same nonce gets the same answer.');
  await phone.post(path, scan('scan-1'), 200, { result: 'admitted' });

  visitor.step('A screenshot of it is scanned', 'It is in already; the answer says since when, and by whom.');
  await phone.post(path, scan('scan-2'), 200, {
    result: 'already_in',
    earlier: { device: { id: device.id } },
  });

  visitor.step("A code of one's own making is scanned", 'No key of ours has signed it.');
  await phone.post(path, scan('scan-3', 'eyJhbGciOiJub25lIn0.eyJ0IjoxfQ.'), 200, { result: 'not_valid' });
}
