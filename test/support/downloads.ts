import type { TestApi } from './api';
import { eventually } from './eventually';
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

/** Waits until documents are made at once: the first loads fonts, which may take too long on a busy machine. */
export const warmUpDocuments = (api: TestApi, ticketId: number) =>
  eventually(async () => {
    const { status } = await api.client.get(`/tickets/${ticketId}.pdf`);
    if (status !== 200) throw new Error(`The PDF was answered ${status}`);
  }, 30_000);
