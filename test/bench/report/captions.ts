import type { WindowName } from '../windows';

/** What the pictures call the measurements that stand beside ours. They are drawn in grey. */
const OTHERS: Partial<Record<WindowName, string>> = {
  'bare Express': 'A web server that does nothing',
  'one statement each, same app': 'Our program, ticket by ticket',
  'direct, our statement': 'The database alone, all checks',
  'direct, simple statement': 'The database alone, few checks',
};

/** What they call ours. */
const OURS: Record<string, string> = {
  payments: 'Payments for one event',
  'one hot event': 'Reservations of one event',
  '1,000 events': 'Reservations of 1,000 events',
  '10,000 events': '10,000 events in all',
  '1,000,000 events': '1,000,000 events in all',
  '100,000 inside the radius': '100,000 events in the same city',
  '90 % in the past': 'Nine of ten events are over',
};

const LISTS = { 'GET /events/': 'Events', 'GET /users/{id}/tickets': 'Tickets of a user' };

export const isOurs = (name: string): boolean => !(name in OTHERS);

/** A measurement's name for readers who know nothing of how it was made. */
export function captionOf(name: string): string {
  const [list = '', depth] = name.split(' at ');
  if (depth !== undefined && list in LISTS) {
    return `${LISTS[list as keyof typeof LISTS]}, ${depth === '0' ? 'first page' : `after ${depth} others`}`;
  }
  return OTHERS[name as WindowName] ?? OURS[name] ?? name;
}
