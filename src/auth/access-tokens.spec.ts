import { createHmac, generateKeyPairSync } from 'node:crypto';
import { sign, type SignOptions } from 'jsonwebtoken';
import { AccessTokens } from './access-tokens';

const SECRET = 'one-that-only-this-test-signs-with';
const OTHER = 'another-one-that-this-test-signs-with';
const account = { userId: 7, role: 'user', createdAt: new Date(0) } as const;
const caller = { userId: 7, role: 'user', issuedAt: expect.any(Number) };

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const hmac = (input: string, key: string) =>
  `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
const now = () => Math.floor(Date.now() / 1_000);

const CLAIMS = { role: 'user', sub: '7', iss: 'tixxety', aud: 'tixxety-api' };
const HEADER = { alg: 'HS256', typ: 'JWT' };
/** One that is like ours but for this. */
const forged = (claims: object, options: SignOptions = {}, key = SECRET) =>
  sign({ ...CLAIMS, iat: now(), exp: now() + 900, ...claims }, key, { algorithm: 'HS256', ...options });
const without = (name: keyof typeof CLAIMS | 'iat' | 'exp') => {
  const claims = { ...CLAIMS, iat: now(), exp: now() + 900, [name]: undefined };
  return hmac(`${base64url(HEADER)}.${base64url(claims)}`, SECRET);
};

describe('AccessTokens', () => {
  const tokens = new AccessTokens([SECRET]);

  it('knows the caller again', () => {
    for (const role of ['user', 'admin'] as const) {
      const token = tokens.sign({ ...account, role });
      expect(tokens.verify(token)).toEqual({ ...caller, role });
      expect(tokens.verify(token)).toEqual({ ...caller, role });
    }
    expect(tokens.verify(forged({}))).toEqual(caller);
  });

  it('tells nothing but who calls', () => {
    const [, claims = ''] = tokens.sign(account).split('.');
    const told = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iat: number };
    expect(told).toEqual({ ...CLAIMS, iat: told.iat, exp: told.iat + 900 });
  });

  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const ours = tokens.sign(account);
  const [header = '', claims = '', signature = ''] = ours.split('.');
  const asAdmin = base64url({ ...CLAIMS, role: 'admin', iat: now(), exp: now() + 900 });

  it.each([
    ['nothing', ''],
    ['words', 'let me in'],
    ['two dots', '..'],
    ['a part too few', `${header}.${claims}`],
    ['a part too many', `${ours}.${signature}`],
    ['no signature', `${header}.${claims}.`],
    ['alg none', `${base64url({ alg: 'none', typ: 'JWT' })}.${claims}.`],
    ['alg None, with our signature', `${base64url({ alg: 'None', typ: 'JWT' })}.${claims}.${signature}`],
    ['another role behind our signature', `${header}.${asAdmin}.${signature}`],
    ['half of our signature', `${header}.${claims}.${signature.slice(0, 20)}`],
    ['another secret', forged({}, {}, OTHER)],
    ['HS384', forged({}, { algorithm: 'HS384' })],
    ['HS512', forged({}, { algorithm: 'HS512' })],
    ['RS256', forged({}, { algorithm: 'RS256' }, privateKey)],
    [
      'RS256, signed by HMAC with the public key',
      hmac(`${base64url({ alg: 'RS256' })}.${claims}`, publicKey),
    ],
    ['HS256 with the public key', hmac(`${header}.${claims}`, publicKey)],
    [
      'a key of its own in the header',
      hmac(`${base64url({ ...HEADER, jwk: { kty: 'oct', k: 'eA' } })}.${claims}`, 'x'),
    ],
    ['an end in the past', forged({ iat: now() - 600, exp: now() - 1 })],
    ['a long life', forged({ exp: now() + 86_400 })],
    ['no end', without('exp')],
    [
      'an end that is text',
      hmac(`${header}.${base64url({ ...CLAIMS, iat: now(), exp: '9999999999' })}`, SECRET),
    ],
    ['another issuer', forged({ iss: 'tixxety.example' })],
    ['no issuer', without('iss')],
    ['another audience', forged({ aud: 'elsewhere' })],
    ['no audience', without('aud')],
    ['a beginning in the future', forged({ nbf: now() + 60 })],
    ['no subject', without('sub')],
    ['a subject that is no id', forged({ sub: 'ada' })],
    ['the subject 0', forged({ sub: '0' })],
    ['a fraction for a subject', forged({ sub: '7.5' })],
    ['no time of issue', without('iat')],
    ['no role', without('role')],
    ['an unknown role', forged({ role: 'root' })],
    ['a list of roles', forged({ role: ['admin'] })],
    ['claims that are text', sign('text', SECRET, { algorithm: 'HS256' })],
  ])('refuses %s', (_what, token) => {
    expect(tokens.verify(token)).toBeUndefined();
    expect(tokens.verify(token)).toBeUndefined();
  });

  it('refuses what only together with the token before is a signature', () => {
    const token = tokens.sign(account);
    expect(tokens.verify(token)).toEqual(caller);
    // A letter of two bytes, for which there is no room.
    expect(tokens.verify(`${token.slice(0, -1)}é`)).toBeUndefined();
  });

  it('knows the session it was issued in', () => {
    const sessionId = '6f1c3a52-0d0e-4c5f-9a41-8c2f8f0f2f5e';
    expect(tokens.verify(tokens.sign(account, sessionId))).toEqual({ ...caller, sessionId });
  });

  it('is never older than its account, and ends no later for it', () => {
    const createdAt = new Date((now() + 3_600) * 1_000 + 1);
    const token = tokens.sign({ ...account, createdAt });
    expect(tokens.verify(token)).toEqual({ ...caller, issuedAt: now() + 3_600 });
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number;
    };
    expect(claims.exp - now()).toBeLessThanOrEqual(900);
  });

  it('lets none live on because it is remembered', () => {
    const token = tokens.sign(account);
    expect(tokens.verify(token)).toEqual(caller);
    jest.useFakeTimers({ now: Date.now() + 899_000 });
    expect(tokens.verify(token)).toEqual(caller);
    jest.setSystemTime(Date.now() + 2_000);
    expect(tokens.verify(token)).toBeUndefined();
    jest.useRealTimers();
  });

  it('begin and end by the clock that is given, whatever this machine has', () => {
    const HOUR_MS = 3_600_000;
    let passed = 0;
    const elsewhere = () => new AccessTokens([SECRET], () => Date.now() - HOUR_MS + passed);
    const [one, another] = [elsewhere(), elsewhere()];
    const token = one.sign(account);
    expect(tokens.verify(token)).toBeUndefined();
    passed = 899_000;
    expect(one.verify(token)).toEqual(caller);
    expect(another.verify(token)).toEqual(caller);
    passed = 901_000;
    expect(one.verify(token)).toBeUndefined();
    expect(another.verify(token)).toBeUndefined();
  });

  it('takes a new secret without signing anybody out, and lets the old one go', () => {
    const before = new AccessTokens([SECRET]).sign(account);
    const both = new AccessTokens([OTHER, SECRET]);
    expect(both.verify(before)).toEqual(caller);
    const after = new AccessTokens([OTHER]);
    expect(after.verify(both.sign(account))).toEqual(caller);
    expect(after.verify(before)).toBeUndefined();
  });
});
