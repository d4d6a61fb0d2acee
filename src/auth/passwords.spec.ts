import argon2 from '@node-rs/argon2';
import { Problem } from '../problems/problem';
import { Passwords } from './passwords';

const PARAMETERS = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/;
const PASSWORD = 'notes on the engine';

describe('Passwords', () => {
  afterEach(() => jest.restoreAllMocks());

  it('are kept as argon2id with the parameters of OWASP, each with a salt of its own', async () => {
    const passwords = new Passwords();
    const kept = [await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)];
    for (const passwordHash of kept) expect(passwordHash).toMatch(PARAMETERS);
    expect(kept[0]).not.toBe(kept[1]);
    expect(await passwords.verify(kept[0], PASSWORD)).toBe(true);
    expect(await passwords.verify(kept[0], `${PASSWORD}!`)).toBe(false);
  });

  it('are the same however a keyboard spells them', async () => {
    const passwords = new Passwords();
    const kept = await passwords.hash('caf\u00e9 au lait'.padEnd(12));
    expect(await passwords.verify(kept, 'cafe\u0301 au lait'.padEnd(12))).toBe(true);
  });

  it.each([undefined, null])('cost as much to refuse where there is none: %s', async (none) => {
    const passwords = new Passwords();
    const theirs = jest.spyOn(argon2, 'verify').mock.calls;
    expect(await passwords.verify(none, PASSWORD)).toBe(false);
    expect(theirs).toEqual([[expect.stringMatching(PARAMETERS), PASSWORD]]);
  });

  it('are not hashed for those who have gone, whose places in the line are free again', async () => {
    const passwords = new Passwords();
    const finish: (() => void)[] = [];
    const hashes = jest
      .spyOn(argon2, 'hash')
      .mockImplementation(() => new Promise((resolve) => finish.push(() => resolve('hash'))));
    const clients = Array.from({ length: 60 }, () => new AbortController());
    const theirs = clients.map(({ signal }) =>
      passwords.hash(PASSWORD, signal).catch((error: unknown) => error),
    );
    await Promise.resolve();
    const begun = hashes.mock.calls.length;
    clients.forEach((client) => client.abort());
    theirs.push(passwords.hash(PASSWORD, AbortSignal.abort()).catch((error: unknown) => error));
    const others = Array.from({ length: 10 }, () => passwords.hash(PASSWORD));
    for (let done = 0; done < begun + others.length; done++) {
      finish[done]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(await Promise.all(others))).toEqual(new Set(['hash']));
    const results = await Promise.all(theirs);
    expect(results.filter((result) => result === 'hash')).toHaveLength(begun);
    expect(hashes).toHaveBeenCalledTimes(begun + others.length);
  });

  it('are worked off few at a time, in a line that ends', async () => {
    const passwords = new Passwords();
    const finish: (() => void)[] = [];
    jest
      .spyOn(argon2, 'hash')
      .mockImplementation(() => new Promise((resolve) => finish.push(() => resolve('hash'))));
    const outcomes = Array.from({ length: 100 }, () =>
      passwords.hash(PASSWORD).catch((error: unknown) => error),
    );
    await Promise.resolve();
    const atOnce = finish.length;
    expect(atOnce).toBeLessThanOrEqual(2);

    for (let done = 0; done < atOnce + 64; done++) {
      expect(finish.length - done).toBeLessThanOrEqual(atOnce);
      finish[done]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const results = await Promise.all(outcomes);
    expect(results.filter((result) => result === 'hash')).toHaveLength(atOnce + 64);
    for (const refusal of results.slice(atOnce + 64)) {
      expect(refusal).toBeInstanceOf(Problem);
      expect(refusal).toMatchObject({ code: 'overloaded', headers: { 'Retry-After': '2' } });
    }
  });
});
