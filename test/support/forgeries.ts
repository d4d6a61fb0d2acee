import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { TEST_SECRET, tokenOf } from './tokens';

type Claims = Record<string, unknown>;

const seconds = () => Math.floor(Date.now() / 1_000);
const claims = (): Claims => ({
  sub: '1',
  role: 'admin',
  iss: 'tixxety',
  aud: 'tixxety-api',
  iat: seconds(),
  exp: seconds() + 600,
});
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: object, payload: object, secret: string) => {
  const signed = `${base64(header)}.${base64(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};
const HS256 = { alg: 'HS256', typ: 'JWT' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A token made as the forgeries are, but as we make ours. */
export const honest = () => jwt(HS256, claims(), TEST_SECRET);

/** Tokens that the API must refuse. */
export const FORGERIES: Record<string, () => string> = {
  'one without a signature, alg none': () => `${base64({ alg: 'none' })}.${base64(claims())}.`,
  'one of alg None with a signature': () => jwt({ alg: 'None' }, claims(), TEST_SECRET),
  'one of another algorithm with the right secret': () => {
    const signed = `${base64({ alg: 'HS512' })}.${base64(claims())}`;
    return `${signed}.${createHmac('sha512', TEST_SECRET).update(signed).digest('base64url')}`;
  },
  'one signed with an RSA key': () => {
    const signed = `${base64({ alg: 'RS256' })}.${base64(claims())}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(rsa.privateKey, 'base64url')}`;
  },
  'one signed with a public key as the secret': () =>
    jwt(HS256, claims(), rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()),
  'one signed with another secret': () => jwt(HS256, claims(), `${TEST_SECRET}.`),
  'one signed with an empty secret': () => jwt(HS256, claims(), ''),
  'one that has expired': () =>
    jwt(HS256, { ...claims(), iat: seconds() - 700, exp: seconds() - 100 }, TEST_SECRET),
  'one that lives longer than ours': () =>
    jwt(HS256, { ...claims(), iat: seconds() - 86_400, exp: seconds() + 86_400 }, TEST_SECRET),
  'one without an end': () => jwt(HS256, { ...claims(), exp: undefined }, TEST_SECRET),
  'one from another issuer': () => jwt(HS256, { ...claims(), iss: 'somebody' }, TEST_SECRET),
  'one for another audience': () => jwt(HS256, { ...claims(), aud: 'somebody' }, TEST_SECRET),
  'one with a role that there is not': () => jwt(HS256, { ...claims(), role: 'root' }, TEST_SECRET),
  'one whose subject is no user': () => jwt(HS256, { ...claims(), sub: '1 OR 1=1' }, TEST_SECRET),
  'one whose claims were changed after signing': () => {
    const [header, , signature] = tokenOf(2).split('.');
    return `${header}.${base64(claims())}.${signature}`;
  },
};
