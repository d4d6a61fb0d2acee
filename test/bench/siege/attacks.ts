import { gzipSync } from 'node:zlib';
import { flood, holdOpen, type Attack } from './flood';

/** As many requests as an address may make: `RATE_LIMIT_PER_MINUTE` of 600. */
const LIMITED = { perSecond: 10, connections: 20 };
/** As many as one machine makes without effort, of what is not limited. */
const UNLIMITED = { perSecond: 200, connections: 20 };

const JSON_BODY = { 'Content-Type': 'application/json' };
const WIDE = 'near=51.5,-0.1&max_distance_km=20038';

const get = (path: string) => ({ method: 'GET' as const, path });

/** What one address can do, each with an address of its own so that none uses up the limit of another. */
export const ATTACKS: Record<string, (url: string) => Attack> = {
  'heavy lists': (url) =>
    flood(url, { ...LIMITED, from: '127.0.1.1' }, [
      get(`/events/?${WIDE}&sort=start_time&limit=200`),
      get('/events/?q=c&limit=200'),
      get(`/events/?q=c&available=true&${WIDE}&limit=200`),
      get('/events/?available=true&limit=200'),
      get(`/events/?${WIDE}&sort=distance&starts_before=1970-01-01T00:00:00Z&limit=200`),
    ]),
  'invalid bodies': (url) =>
    flood(url, { ...LIMITED, from: '127.0.1.2' }, [
      { method: 'POST', path: '/users/', headers: JSON_BODY, body: Buffer.from(deepBody()) },
    ]),
  'packed bodies': (url) =>
    flood(url, { ...LIMITED, from: '127.0.1.3' }, [
      {
        method: 'POST',
        path: '/users/',
        headers: { ...JSON_BODY, 'Content-Encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(10_000_000, 32)),
      },
    ]),
  'sign-ups': (url) =>
    flood(
      url,
      { ...LIMITED, from: '127.0.1.4' },
      Array.from({ length: 100 }, (_, i) => ({
        method: 'POST' as const,
        path: '/users/',
        headers: JSON_BODY,
        body: Buffer.from(
          JSON.stringify({
            name: 'Eve',
            email: `eve${i}.${Date.now()}@example.com`,
            password: 'correct horse battery',
          }),
        ),
      })),
    ),
  documentation: (url) => flood(url, { ...UNLIMITED, from: '127.0.1.5' }, [get('/openapi.json')]),
  readiness: (url) => flood(url, { ...UNLIMITED, from: '127.0.1.6' }, [get('/health/ready')]),
  'slow readers': (url) =>
    holdOpen(
      url,
      { from: '127.0.1.7', connections: 60 },
      'GET /events/?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2),
    ),
  'idle connections': (url) => holdOpen(url, { from: '127.0.1.8', connections: 1_000 }),
};

/** A long key over thousands of empty objects: 32 kB. */
function deepBody(): string {
  return `{"${'k'.repeat(16_000)}":${'{"a":'.repeat(2_600)}{}${'}'.repeat(2_600)}}`;
}
