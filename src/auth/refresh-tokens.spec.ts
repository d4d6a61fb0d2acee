import { randomUUID } from 'node:crypto';
import { RefreshTokens, sessionOf } from './refresh-tokens';

describe('RefreshTokens', () => {
  const [before, now] = ['a secret that was leaked', 'a secret that came after it'];
  const tokens = new RefreshTokens([now]);
  const id = randomUUID();

  it('names its session, and is another one each time', () => {
    const [one, other] = [tokens.issue(id), tokens.issue(id)];
    expect([one, other].map(sessionOf)).toEqual([id, id]);
    expect(one).not.toBe(other);
    expect([one, other].map((token) => tokens.isIssued(token))).toEqual([true, true]);
  });

  it('is known under each of the secrets', () => {
    const token = new RefreshTokens([before]).issue(id);
    expect(new RefreshTokens([now, before]).isIssued(token)).toBe(true);
    expect(tokens.isIssued(token)).toBe(false);
  });

  it('is not what another character, another session or chance makes of it', () => {
    const token = tokens.issue(id);
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'a' ? 'b' : 'a';
      expect(tokens.isIssued(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
    }
    const guesses = ['', 'x', id, `${randomUUID()}${token.slice(36)}`, `${id}.${'A'.repeat(43)}`];
    for (const guess of guesses) expect(tokens.isIssued(guess)).toBe(false);
  });
});
