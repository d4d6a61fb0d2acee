import { isIP } from 'node:net';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { isEmailAddress } from '../text/email';
import { isDecodable } from './database-url';

/** One that was read from a file may have brought along the line break at the file's end, encoded. */
export function PasswordInOneLine(): PropertyDecorator {
  return ValidateBy({
    name: 'password',
    validator: {
      validate: (value) =>
        typeof value !== 'string' || !URL.canParse(value) || !/%0[ad]/i.test(new URL(value).password),
      defaultMessage: () =>
        'must have a password without line breaks (%0A), such as the one that ends its file',
    },
  });
}

/** A `%` that stands for itself would be read as the beginning of a code, and fail. */
export function PercentEncoded(): PropertyDecorator {
  return ValidateBy({
    name: 'percentEncoded',
    validator: {
      validate: (value) => typeof value !== 'string' || isDecodable(value),
      defaultMessage: () => 'must spell each % of its user and password as %25',
    },
  });
}

/** Its databases have no names: each connection would fail, and wake no worker. */
export function NumberedDatabase(): PropertyDecorator {
  return ValidateBy({
    name: 'numberedDatabase',
    validator: {
      validate: (value) =>
        typeof value !== 'string' || !URL.canParse(value) || /^\/?\d*$/.test(new URL(value).pathname),
      defaultMessage: () => 'must name its database by a number, such as redis://host:6379/1',
    },
  });
}

export function Email(message: string): PropertyDecorator {
  return ValidateBy({
    name: 'email',
    validator: { validate: isEmailAddress, defaultMessage: () => message },
  });
}

export function Url(pattern: RegExp, example: string): PropertyDecorator {
  return ValidateBy({
    name: 'url',
    validator: {
      validate: (value) => typeof value === 'string' && pattern.test(value) && URL.canParse(value),
      defaultMessage: () => `must look like ${example}`,
    },
  });
}

/** What paths are added to: without a slash at its end, a query or credentials. */
export function BaseUrl(example = 'https://tickets.example.com'): PropertyDecorator {
  return Parsed(
    (text) => text.replace(/\/+$/, ''),
    (value) => isBaseUrl(String(value)),
    `must look like ${example}`,
  );
}

function isBaseUrl(text: string): boolean {
  if (!/^https?:\/\/\S+$/.test(text) || !URL.canParse(text)) return false;
  const { search, hash, username, password } = new URL(text);
  return search === '' && hash === '' && username === '' && password === '';
}

export function WholeNumber(least: number, most: number): PropertyDecorator {
  return Parsed(
    (text) => (/^\d+$/.test(text) ? Number(text) : text),
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    `must be a whole number from ${least} to ${most}`,
  );
}

export function TrustedProxies(): PropertyDecorator {
  return Parsed(
    (text) => (/^\d+$/.test(text) ? Number(text) : listIn(text)),
    (value) => (Array.isArray(value) ? value.every(isProxy) : Number(value) <= 16),
    'must be a number of proxies from 0 to 16, or addresses and subnets such as 10.0.0.0/8,::1',
  );
}

function isProxy(text: string): boolean {
  const [, address = '', , prefix = '1'] = /^([^/]+)(\/(\d{1,3}))?$/.exec(text) ?? [];
  // A prefix of 0 would believe everybody.
  return isIP(address) > 0 && Number(prefix) >= 1 && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}

export function Origins(): PropertyDecorator {
  return Parsed(
    listIn,
    (value) => Array.isArray(value) && value.every(isOrigin),
    'must be origins such as https://shop.example.com, separated by commas',
  );
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

export function listIn(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** A setting that is something else than its text; what can't be parsed is left for the check to refuse. */
export function Parsed(
  parse: (text: string) => unknown,
  validate: (value: unknown) => boolean,
  message: string,
): PropertyDecorator {
  return (target, property) => {
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? parse(value) : value))(
      target,
      property,
    );
    ValidateBy({ name: 'parsed', validator: { validate, defaultMessage: () => message } })(target, property);
  };
}
