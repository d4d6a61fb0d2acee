import { TEST_ADMIN, tokenOf } from './tokens';

/** An answer, with its body parsed where it is JSON. */
export interface Answer<Body = any> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Speaks HTTP with an API the way its clients do: as an admin, such as a trusted back end, unless told otherwise. */
export class Client {
  constructor(
    readonly url: string,
    private readonly token = tokenOf(TEST_ADMIN.id, 'admin'),
  ) {}

  /** The same API for another caller; with an empty token, for an anonymous one. */
  as(token: string): Client {
    return new Client(this.url, token);
  }

  get<Body = any>(path: string, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    return this.send('GET', path, { headers });
  }

  post<Body = any>(
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    if (body === undefined) return this.send('POST', path, { headers });
    return this.send('POST', path, {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  async send<Body = any>(method: string, path: string, init: RequestInit = {}): Promise<Answer<Body>> {
    const headers = new Headers(init.headers);
    if (this.token !== '' && !headers.has('authorization'))
      headers.set('Authorization', `Bearer ${this.token}`);
    const response = await fetch(this.url + path, { method, ...init, headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : text) as Body,
    };
  }

  /** The pages of a list, following `Link` to the last one. */
  async pages<Row = any>(path: string): Promise<Row[][]> {
    const pages: Row[][] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const { body, headers }: Answer<Row[]> = await this.get<Row[]>(next);
      pages.push(body);
      next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }
    return pages;
  }
}
