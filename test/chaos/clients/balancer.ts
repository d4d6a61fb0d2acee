import { HttpClient, type HttpAnswer, type HttpRequest } from './http';

/** Who answered, or what kept everybody from it. */
export type Delivery = { api: number } & ({ answer: HttpAnswer } | { error: string });

/** The connection was refused, so that nothing can have been done. */
const UNSENT = 'ECONNREFUSED';

/**
 * Spreads requests over the APIs, as a load balancer does: one that takes no connections is passed over. A request that
 * was sent is never sent again, since it may have been carried out.
 */
export class Balancer {
  private readonly http = new HttpClient();

  constructor(private readonly urls: readonly string[]) {}

  /** @param preferred which of the APIs is tried first */
  async send(preferred: number, request: HttpRequest): Promise<Delivery> {
    let error = UNSENT;
    for (let i = 0; i < this.urls.length; i++) {
      const api = (preferred + i) % this.urls.length;
      try {
        return { api, answer: await this.http.send(this.urls[api] as string, request) };
      } catch (failure) {
        const { code, message } = failure as NodeJS.ErrnoException;
        error = code ?? message;
        if (error !== UNSENT) return { api, error };
      }
    }
    return { api: preferred, error };
  }

  close(): void {
    this.http.close();
  }
}
