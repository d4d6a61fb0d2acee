/** An answer, with its body parsed where it is JSON. */
export interface Answer<Body = any> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Speaks HTTP with an API the way its clients do. */
export class Client {
  constructor(readonly url: string) {}

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
    const response = await fetch(this.url + path, { method, ...init });
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
