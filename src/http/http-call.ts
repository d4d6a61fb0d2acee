import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface CallOptions {
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** From the first byte out to the last byte in. */
  timeoutMs: number;
  maxBytes: number;
}

export interface CallAnswer {
  status: number;
  body: Buffer;
}

/** Calls other servers, over connections that it keeps. No redirect is followed. */
export class HttpCaller {
  private readonly http: HttpAgent;
  private readonly https: HttpsAgent;

  /** @param maxSockets connections to one server; further calls wait, and their time runs */
  constructor(maxSockets: number) {
    const options = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets };
    this.http = new HttpAgent(options);
    this.https = new HttpsAgent(options);
  }

  /** @throws when no answer came in time, or none that is whole and short enough */
  call(url: string, { method, headers, body, timeoutMs, maxBytes }: CallOptions): Promise<CallAnswer> {
    return new Promise((resolve, reject) => {
      const isHttps = url.startsWith('https:');
      const send = isHttps ? httpsRequest : httpRequest;
      const request = send(url, {
        method,
        agent: isHttps ? this.https : this.http,
        headers: {
          ...headers,
          ...(method === 'POST' && { 'Content-Length': Buffer.byteLength(body ?? '') }),
        },
      });
      const fail = (error: Error) => {
        clearTimeout(timer);
        request.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      request.once('error', fail);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > maxBytes) fail(new Error(`an answer of more than ${maxBytes} bytes`));
          else chunks.push(chunk);
        });
        response.once('error', fail);
        response.once('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      });
      request.end(body);
    });
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }
}
