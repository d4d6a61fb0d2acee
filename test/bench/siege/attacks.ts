import { gzipSync } from 'node:zlib';
import { flood, holdOpen, type Attack } from './flood';

/** What an address may ask for in a minute, all of it as soon as its connections get to it. */
const READING = { most: 600, perSecond: 200, connections: 20 };
const PASSWORDS = { ...READING, most: 100 };
/** As many as one machine makes without effort, of what is not limited. */
const UNLIMITED = { most: Infinity, perSecond: 200, connections: 20 };

const JSON_BODY = { 'Content-Type': 'application/json' };
const WIDE = 'near=51.5,-0.1&max_distance_km=20038';

const get = (path: string) => ({ method: 'GET' as const, path });

/** What one address can do. */
export const ATTACKS: Record<string, (url: string, from: string) => Attack> = {
  'heavy lists': (url, from) =>
    flood(url, { ...READING, from }, [
      get(`/events/?${WIDE}&sort=start_time&limit=200`),
      get('/events/?q=c&limit=200'),
      get(`/events/?q=c&available=true&${WIDE}&limit=200`),
      get('/events/?available=true&limit=200'),
      get(`/events/?${WIDE}&sort=distance&starts_before=1970-01-01T00:00:00Z&limit=200`),
    ]),
  'invalid bodies': (url, from) =>
    flood(url, { ...PASSWORDS, from }, [
      { method: 'POST', path: '/users/', headers: JSON_BODY, body: Buffer.from(deepBody()) },
    ]),
  'packed bodies': (url, from) =>
    flood(url, { ...PASSWORDS, from }, [
      {
        method: 'POST',
        path: '/users/',
        headers: { ...JSON_BODY, 'Content-Encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(10_000_000, 32)),
      },
    ]),
  'sign-ups': (url, from) =>
    flood(
      url,
      { ...PASSWORDS, from },
      Array.from({ length: PASSWORDS.most }, (_, i) => ({
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
  documentation: (url, from) => flood(url, { ...UNLIMITED, from }, [get('/openapi.json')]),
  readiness: (url, from) => flood(url, { ...UNLIMITED, from }, [get('/health/ready')]),
  'slow readers': (url, from) =>
    holdOpen(
      url,
      { from, connections: 60 },
      'GET /events/?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(READING.most / 60),
    ),
  'idle connections': (url, from) => holdOpen(url, { from, connections: 1_000 }),
};

/** A long key over thousands of empty objects: 32 kB. */
function deepBody(): string {
  return `{"${'k'.repeat(16_000)}":${'{"a":'.repeat(2_600)}{}${'}'.repeat(2_600)}}`;
}
