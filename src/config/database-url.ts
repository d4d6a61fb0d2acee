/**
 * The URL of a database so that `new URL` can read it: what libpq and its relatives write for a socket,
 * `postgres://user@/database?host=/folder`, is none.
 */
export function readableUrl(text: string): string {
  const [, scheme, user, password, rest] =
    /^(postgres(?:ql)?:\/\/)([^:@/]*)(?::([^@/]*))?@(\/.*)$/.exec(text) ?? [];
  if (scheme === undefined || rest === undefined || !URL.canParse(`${scheme}${rest}`) || !isDecodable(text))
    return text;
  const url = new URL(`${scheme}${rest}`);
  if (user) url.searchParams.set('user', decodeURIComponent(user));
  if (password) url.searchParams.set('password', decodeURIComponent(password));
  return url.href;
}

/** Whether each `%` of the text begins the code of a byte, as `decodeURIComponent` wants it. */
export function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The URL with `options` before its own, which then win as the later ones. */
export function withOptions(text: string, options: string): string {
  const url = new URL(text);
  url.searchParams.set('options', `${options} ${url.searchParams.get('options') ?? ''}`.trim());
  return url.href;
}

/**
 * The URL with the `sslmode` that the driver makes of it. For each mode that asks for TLS it checks the certificate and its
 * name, and where the mode promises less it warns in many lines. `uselibpqcompat=true` asks for no more than the mode.
 */
export function withStrictSslMode(text: string): string {
  const url = new URL(text);
  const isLax = /^(prefer|require|verify-ca)$/.test(url.searchParams.get('sslmode') ?? '');
  if (!isLax || url.searchParams.get('uselibpqcompat') === 'true') return text;
  url.searchParams.set('sslmode', 'verify-full');
  return url.href;
}

/** Where the database is, in words that tell no password. */
export function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return `${searchParams.get('host') ?? (hostname || 'localhost')}:${port || 5432}${pathname}`;
}
