/** What the sandbox answers to a request that it refuses. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const notFound = (what: string) => new Refusal(404, 'not_found', `There is no such ${what}.`);

export const keyReused = () =>
  new Refusal(409, 'idempotency_key_reused', 'This Idempotency-Key came with another request before.');
