import { createHash } from 'node:crypto';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';

export interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  key?: string;
  body?: object;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  // The checks judge every answer of the API, errors too.
  body: { code?: string; id?: number; status?: string; [field: string]: unknown };
}

/** Nothing takes this long; what does is as good as no answer. */
const PATIENCE_MS = 15_000;

/** There is no answer; the message is the system's code where it has one. */
export class NoAnswer extends Error {}

/** Of each customer another, for limits count networks: customers of one address would take turns. */
function addressOf(token: string): string {
  const [a, b, c] = createHash('sha256').update(token).digest();
  return `10.${a}.${b}.${c}`;
}

/** Speaks HTTP over connections that are kept, as a load balancer does. */
export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true });

  /** @throws {NoAnswer} */
  async send(url: string, { method, path, token, key, body }: HttpRequest): Promise<HttpAnswer> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return await new Promise((resolve, reject) => {
      const call = request(url + path, {
        agent: this.agent,
        method,
        headers: {
          ...(token !== undefined && {
            Authorization: `Bearer ${token}`,
            'X-Forwarded-For': addressOf(token),
          }),
          ...(key !== undefined && { 'Idempotency-Key': key }),
          ...(payload !== undefined && {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(payload),
          }),
        },
      });
      const patience = setTimeout(() => call.destroy(new Error('no answer')), PATIENCE_MS);
      call.on('error', (error: NodeJS.ErrnoException) => {
        const { code, message } = error;
        reject(new NoAnswer(`${code ?? message}${call.reusedSocket ? ' on a kept connection' : ''}`));
      });
      call.on('close', () => clearTimeout(patience));
      call.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', ({ message }) => reject(new NoAnswer(`${message} in the midst of the answer`)));
        response.on('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: parse(text) });
        });
      });
      call.end(payload);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

function parse(text: string): HttpAnswer['body'] {
  try {
    return JSON.parse(text) as HttpAnswer['body'];
  } catch {
    return {};
  }
}
