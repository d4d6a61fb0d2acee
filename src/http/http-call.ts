import { Agent, type Dispatcher } from 'undici';

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
  private readonly agent: Agent;

  /** @param connections to one server; further calls wait, and their time runs */
  constructor(connections: number) {
    this.agent = new Agent({ connections, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** @throws when no answer came in time, or none that is whole and short enough */
  call(url: string, { method, headers, body, timeoutMs, maxBytes }: CallOptions): Promise<CallAnswer> {
    const { origin, pathname, search } = new URL(url);
    return new Promise((resolve, reject) => {
      const reader = new AnswerReader(maxBytes, timeoutMs, resolve, reject);
      this.agent.dispatch({ origin, path: pathname + search, method, headers, body }, reader);
    });
  }

  /** Calls that are under way fail. */
  close(): void {
    void this.agent.destroy();
  }
}

/** Gathers one answer. undici's `request` does, too, by a stream, which takes half as long again as the call. */
class AnswerReader implements Dispatcher.DispatchHandler {
  private readonly chunks: Buffer[] = [];
  private readonly timer: NodeJS.Timeout;
  private size = 0;
  private status = 0;
  private failure?: Error;
  private controller?: Dispatcher.DispatchController;

  constructor(
    private readonly maxBytes: number,
    timeoutMs: number,
    private readonly resolve: (answer: CallAnswer) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.timer = setTimeout(() => this.fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // Its time ran out while it waited for a connection: it is not sent.
    if (this.failure) controller.abort(this.failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.maxBytes) this.fail(new Error(`an answer of more than ${this.maxBytes} bytes`));
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.timer);
    this.resolve({ status: this.status, body: Buffer.concat(this.chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.timer);
    this.reject(error);
  }

  private fail(error: Error): void {
    clearTimeout(this.timer);
    this.failure = error;
    this.reject(error);
    this.controller?.abort(error);
  }
}
