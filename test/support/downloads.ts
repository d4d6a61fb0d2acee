import type { TestApi } from './api';
import type { Party } from './orders';
import { tokenOf } from './tokens';

/** What an address answers, byte by byte. */
export async function download(
  api: TestApi,
  by: Party,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const answer = await fetch(api.client.url + path, {
    headers: { Authorization: `Bearer ${tokenOf(by.id)}`, ...headers },
  });
  return {
    status: answer.status,
    headers: answer.headers,
    bytes: Buffer.from(await answer.arrayBuffer()),
  };
}
