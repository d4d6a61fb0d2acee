import { randomUUID } from 'node:crypto';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';

/** What a device knows of a gate that it downloaded. */
interface Gate {
  keys: JSONWebKeySet['keys'];
  event: { id: number; status: string };
  cursor: string;
}

interface QueuedScan {
  token: string;
  nonce: string;
  kind: 'entry' | 'exit';
  scanned_at: string;
}

/** What a device shows: green or red. */
export interface Verdict {
  result: string;
  /** It was decided without a network. */
  isOffline: boolean;
}

const PATIENCE_MS = 500;
const BATCH = 500;

/**
 * A device as anybody may build one: works a gate with a network or without, sends later what it scanned meanwhile, and
 * loses nothing that it has shown green. It knows nothing of the server but its HTTP.
 */
export class ReferenceDevice {
  /** Scans whose answers it has not got. */
  readonly queue: QueuedScan[] = [];
  /** What came of the scans that were sent late, by their nonces. */
  readonly late = new Map<string, string>();
  private gate?: Gate;
  private readonly void = new Set<number>();
  private readonly generations = new Map<number, number>();
  /** Tickets that this device let in, or found to be in. */
  private readonly inside = new Set<number>();

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly eventId: number,
  ) {}

  /** Downloads what has changed, and sends what is queued; without a network it does neither. */
  async sync(): Promise<boolean> {
    return (await this.flush()) && (await this.download());
  }

  /** Decides on a code: asks the server and, where that does not answer, goes by what it knows. */
  async scan(token: string, kind: 'entry' | 'exit' = 'entry'): Promise<Verdict> {
    const scan = { token, nonce: randomUUID(), kind, scanned_at: new Date().toISOString() };
    // In order: nothing overtakes what waits.
    if (this.queue.length === 0) {
      const answer = await this.send('POST', '/check-ins', scan);
      if (answer) {
        const { result, ticket } = answer as { result: string; ticket?: { id: number } };
        if (ticket) this.note(ticket.id, result);
        return { result, isOffline: false };
      }
    }
    // Also where only the answer was lost: the nonce keeps it from counting twice.
    this.queue.push(scan);
    return { result: await this.decide(token, kind), isOffline: true };
  }

  private async decide(token: string, kind: 'entry' | 'exit'): Promise<string> {
    if (!this.gate) return 'unknown';
    const claims = await this.verify(token);
    if (!claims) return 'not_valid';
    const { t, e, g } = claims;
    if (e !== this.eventId) return 'wrong_event';
    if (kind === 'exit') {
      this.inside.delete(t);
      return 'left';
    }
    const isVoid =
      this.gate.event.status === 'cancelled' || this.void.has(t) || g !== (this.generations.get(t) ?? 0);
    if (isVoid) return 'void';
    if (this.inside.has(t)) return 'already_in';
    this.inside.add(t);
    return 'admitted';
  }

  private async verify(token: string): Promise<{ t: number; e: number; g: number } | undefined> {
    try {
      const { payload } = await compactVerify(token, createLocalJWKSet({ keys: this.gate?.keys ?? [] }));
      return JSON.parse(Buffer.from(payload).toString()) as { t: number; e: number; g: number };
    } catch {
      return undefined;
    }
  }

  private note(ticket: number, result: string): void {
    if (['admitted', 'already_in', 'conflict'].includes(result)) this.inside.add(ticket);
    if (result === 'left') this.inside.delete(ticket);
  }

  private async flush(): Promise<boolean> {
    while (this.queue.length > 0) {
      const batch = this.queue.slice(0, BATCH);
      const answer = await this.send('POST', '/check-ins/batch', { check_ins: batch });
      if (!answer) return false;
      const { check_ins: results } = answer as { check_ins: { result: string; ticket?: { id: number } }[] };
      results.forEach(({ result, ticket }, i) => {
        this.late.set(batch[i]?.nonce ?? '', result);
        if (ticket) this.note(ticket.id, result);
      });
      this.queue.splice(0, batch.length);
    }
    return true;
  }

  private async download(): Promise<boolean> {
    for (let isMore = true; isMore;) {
      const cursor = this.gate ? `?cursor=${this.gate.cursor}` : '';
      const answer = await this.send('GET', `/gate${cursor}`);
      if (!answer) return false;
      const gate = answer as Gate & {
        void: number[];
        reissued: { ticket_id: number; generation: number }[];
      };
      isMore = gate.cursor !== this.gate?.cursor && gate.void.length + gate.reissued.length > 0;
      for (const id of gate.void) this.void.add(id);
      for (const { ticket_id, generation } of gate.reissued) {
        this.void.delete(ticket_id);
        this.generations.set(ticket_id, generation);
      }
      this.gate = gate;
    }
    return true;
  }

  /** @returns undefined where there is no network */
  private async send(method: string, path: string, body?: object): Promise<object | undefined> {
    try {
      const response = await fetch(`${this.url}/events/${this.eventId}${path}`, {
        method,
        headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
        signal: AbortSignal.timeout(PATIENCE_MS),
        ...(body && { body: JSON.stringify(body) }),
      });
      return response.ok ? ((await response.json()) as object) : undefined;
    } catch {
      return undefined;
    }
  }
}
