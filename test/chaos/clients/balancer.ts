import { HttpClient, type HttpAnswer, type HttpRequest, type NoAnswer } from './http';

/** The API that answered, or the error that kept both from it. */
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
    let delivery: Delivery = { api: preferred, error: UNSENT };
    for (let i = 0; i < this.urls.length; i++) {
      delivery = await this.sendTo((preferred + i) % this.urls.length, request);
      if (!('error' in delivery && delivery.error === UNSENT)) break;
    }
    return delivery;
  }

  async sendTo(api: number, request: HttpRequest): Promise<Delivery> {
    try {
      return { api, answer: await this.http.send(this.urls[api] as string, request) };
    } catch (failure) {
      return { api, error: (failure as NoAnswer).message };
    }
  }

  close(): void {
    this.http.close();
  }
}
