import { LRUCache } from 'lru-cache';

const SHORT = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const LONG = { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', ...SHORT } as const;

const recent = new LRUCache<string, { time: string; zone: string }>({ max: 100 });

/**
 * When an event is, for people who go there: in its own time zone, which is named.
 *
 * @returns such as `Monday, 1 June 2099, 21:00 – 23:30`, `GMT+2, Europe/Berlin`
 */
export function localTime(start: Date, end: Date, timeZone: string): { time: string; zone: string } {
  const key = `${start.getTime()} ${end.getTime()} ${timeZone}`;
  const known = recent.get(key) ?? inWords(start, end, timeZone);
  recent.set(key, known);
  return known;
}

function inWords(start: Date, end: Date, timeZone: string): { time: string; zone: string } {
  const long = new Intl.DateTimeFormat('en-GB', { ...LONG, timeZone });
  const short = new Intl.DateTimeFormat('en-GB', { ...SHORT, timeZone });
  const day = new Intl.DateTimeFormat('en-CA', { timeZone });
  const isOneDay = day.format(start) === day.format(end);
  const name = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'short' })
    .formatToParts(start)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return {
    time: `${tidy(long.format(start))} – ${isOneDay ? short.format(end) : tidy(long.format(end))}`,
    zone: name === undefined || name === timeZone ? timeZone : `${name}, ${timeZone}`,
  };
}

/** Versions of ICU differ in how they put a time behind a date. */
const tidy = (text: string) => text.replace(' at ', ', ');
