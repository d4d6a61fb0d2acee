import type { TestApi } from './api';
import { eventBody, userBody } from './factories';

/** The routes that take a JSON body, with a body that each takes. */
export const BODIES = {
  '/users/': userBody,
  '/events/': eventBody,
  '/tickets/': () => ({ user_id: 1, event_id: 1 }),
};
export const POSTS = Object.keys(BODIES) as (keyof typeof BODIES)[];

/** Sends a body as it is. */
export const rawSender =
  (currentApi: () => TestApi) =>
  (path: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/json', headers: object = {}) =>
    currentApi().client.send('POST', path, {
      headers: { ...(type !== '' && { 'Content-Type': type }), ...headers },
      body,
    });

/** Stops an API that is as well as it was before. */
export async function stopSound(api: TestApi): Promise<void> {
  expect((await api.client.get('/health/ready')).status).toBe(200);
  expect((await api.client.post('/events/', eventBody())).status).toBe(201);
  await api.stop();
}
