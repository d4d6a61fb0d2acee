import { TZDate } from '@date-fns/tz';
import ical, { ICalEventStatus, type ICalEventData } from 'ical-generator';

/** What stands in a calendar. */
export interface CalendarEntry {
  /** Of an event or a ticket, which keeps it for ever. */
  uid: string;
  /** Raised by each change. */
  sequence: number;
  isCancelled: boolean;
  title: string;
  description: string;
  place: string | null;
  latitude: number | null;
  longitude: number | null;
  startTime: Date;
  endTime: Date;
  timezone: string;
}

/**
 * A calendar (RFC 5545) with one entry, at the local time of its place. Where the clocks there are put back or forward while
 * it lasts, its times are in UTC: they are never ambiguous.
 */
export function calendarOf(entry: CalendarEntry): string {
  const { startTime, endTime, timezone } = entry;
  const offset = offsetIn(timezone, startTime);
  const isZoned = timezone !== 'UTC' && offset === offsetIn(timezone, endTime);
  const calendar = ical({ prodId: { company: 'Tixxety', product: 'Tixxety', language: 'EN' } });
  // By a name the calendar would have local stamps, too.
  if (isZoned) calendar.timezone({ name: null, generator: (name) => zoneOf(name, offset) });
  const at = (time: Date) => (isZoned ? new TZDate(time.getTime(), timezone) : time);
  const { uid, sequence, title, description, place, latitude, longitude } = entry;
  const location = locationOf(place, latitude, longitude);
  const event: ICalEventData = {
    id: uid,
    sequence,
    start: at(startTime),
    end: at(endTime),
    summary: title,
    ...(isZoned && { timezone }),
    ...(description !== '' && { description }),
    ...(location && { location }),
    status: entry.isCancelled ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
  };
  calendar.createEvent(event);
  return calendar.toString();
}

function locationOf(place: string | null, lat: number | null, lon: number | null) {
  // An address may be empty, which the library takes for none at all.
  const title = place === null || place === '' ? undefined : place;
  if (lat === null || lon === null) return title;
  return { title: title ?? `${lat}, ${lon}`, geo: { lat, lon } };
}

/** Such as `+0545`. */
function offsetIn(timeZone: string, time: Date): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(time);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return name === 'GMT' ? '+0000' : name.replace('GMT', '').replaceAll(':', '');
}

/** The rules of the zone while the event lasts. Most programs know the zone by its name, and take no notice. */
const zoneOf = (name: string, offset: string) =>
  [
    'BEGIN:VTIMEZONE',
    `TZID:${name}`,
    'BEGIN:STANDARD',
    'DTSTART:19700101T000000',
    `TZOFFSETFROM:${offset}`,
    `TZOFFSETTO:${offset}`,
    'END:STANDARD',
    'END:VTIMEZONE',
  ].join('\r\n');
