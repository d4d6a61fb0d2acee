import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { GUESSABLE, isGuessable } from '../text/guessable';

const SECRET_BYTES = 32;
const FEWEST_DIFFERENT_CHARACTERS = 8;

/** A secret must not be guessable: not the example's, not one letter again and again. */
export function Secrets(): PropertyDecorator {
  return (target, property) => {
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.split(',').map((secret) => secret.trim()) : value,
    )(target, property);
    ValidateBy({
      name: 'secrets',
      validator: {
        validate: (value) => (value as string[]).every((secret) => !isWeak(secret)),
        defaultMessage: () =>
          `must be at least ${SECRET_BYTES} random bytes, such as what \`openssl rand -base64 32\` prints; several ` +
          'have commas between them',
      },
    })(target, property);
  };
}

const isWeak = (secret: string) =>
  Buffer.byteLength(secret) < SECRET_BYTES ||
  new Set(secret).size < FEWEST_DIFFERENT_CHARACTERS ||
  /^(.+?)\1+$/s.test(secret) ||
  IS_EXAMPLE.test(secret);

const IS_EXAMPLE = /change[-_ ]?me|example|placeholder/i;
const IS_TO_BE_CHANGED = /change[-_ ]?me/i;

/** A password of a person. */
export function Unguessable(): PropertyDecorator {
  return ValidateBy({
    name: 'guessable',
    validator: {
      validate: (value, args) =>
        !isGuessable(String(value ?? ''), [(args?.object as { ADMIN_EMAIL?: string }).ADMIN_EMAIL ?? '']),
      defaultMessage: () => GUESSABLE,
    },
  });
}

/** In production: none of .env.example, which everybody knows. */
export function UnwornSecret(): PropertyDecorator {
  return inProduction(
    'worn-secret',
    (secret) => !IS_TO_BE_CHANGED.test(secret),
    'must not be that of .env.example: set it to your own',
  );
}

/** In production: no token that a guesser tries first. */
export function UnwornToken(): PropertyDecorator {
  return inProduction(
    'worn-token',
    (token) => !isWorn(token, ['metrics token', 'prometheus token', 'bearer token']),
    'must not be one that is guessed first, such as that of .env.example: take what `openssl rand -hex 16` prints',
  );
}

/** In production: no URL with a password that a guesser tries first. One without a password passes. */
export function UnwornPassword(): PropertyDecorator {
  return inProduction(
    'worn-password',
    (text) => {
      if (!URL.canParse(text)) return true; // another check refuses it
      const { username, password, hostname, pathname, searchParams } = new URL(text);
      const secret = searchParams.get('password') ?? decoded(password);
      const user = searchParams.get('user') ?? decoded(username);
      return secret === '' || !isWorn(secret, [user, pathname, hostname, 'postgres', 'redis', 'secret']);
    },
    'must not have a password that is guessed first, such as that of .env.example: give the role what ' +
      '`openssl rand -hex 24` prints',
  );
}

const isWorn = (secret: string, words: string[]) => IS_EXAMPLE.test(secret) || isGuessable(secret, words);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function inProduction(name: string, isFine: (value: string) => boolean, message: string): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) =>
        (args?.object as { NODE_ENV: string }).NODE_ENV !== 'production' ||
        (Array.isArray(value) ? value : [value]).every((each) => typeof each !== 'string' || isFine(each)),
      defaultMessage: () => message,
    },
  });
}
