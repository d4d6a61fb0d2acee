import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  IsOptional,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  type ValidationArguments,
} from 'class-validator';
import { isEmailAddress } from '../text/email';
import { isInstant } from '../text/instant';
import { isLine, isText, isVisible } from '../text/line';
import { isStreamSafe } from '../text/stream-safe';

/** The largest id: what a JSON number carries exactly. */
export const MAX_ID = Number.MAX_SAFE_INTEGER;

/** The largest sum of money, in the minor unit of its currency: what a JSON number carries exactly. */
export const MAX_MONEY = Number.MAX_SAFE_INTEGER;

type Check = (value: unknown, owner: Record<string, unknown>) => boolean;

/** A check by its name, and what it says to a value that does not pass. */
export function field(name: string, message: string, check: Check): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args?: ValidationArguments) =>
        check(value, (args?.object ?? {}) as Record<string, unknown>),
      defaultMessage: () => message,
    },
  });
}

const MARKS = 'no more than 30 combining marks in a row';

/**
 * One line of text of `least` to `most` characters (code points, as PostgreSQL counts), in which there is something to see
 * unless it may be empty. It is put into NFC, so that what looks alike is found alike.
 */
export const Text = (least: number, most: number) =>
  applyDecorators(
    text(
      least,
      most,
      'one line of text',
      `without control or invisible characters, and with ${MARKS}`,
      (value) => isLine(value) && isStreamSafe(value) && (least === 0 || isVisible(value)),
    ),
    Composed(),
  );

/** Text as `Text` takes it, of any number of lines. */
export const MultilineText = (least: number, most: number) =>
  applyDecorators(
    text(
      least,
      most,
      'text',
      `without control characters, and with ${MARKS}`,
      (value) => isText(value) && isStreamSafe(value),
    ),
    Composed(),
  );

/** Text that is compared and not shown, such as a password: any but NUL and half a surrogate pair, and left as it is. */
export const OpaqueText = (least: number, most: number) =>
  text(
    least,
    most,
    'text',
    'without NUL',
    (value) => isOpaque(value) && (least === 0 || value.trim() !== ''),
  );

/** Text of a field that is taken because clients send it, but not used. It wants `@ApiHideProperty()` beside it. */
export const IgnoredText = () =>
  applyDecorators(IsOptional(), textField(0, 255, 'text', 'without NUL', isOpaque));

const isOpaque = (value: string) => !value.includes('\0') && value.isWellFormed();

const text = (...[least, most, ...rest]: Parameters<typeof textField>) =>
  applyDecorators(
    ApiProperty({ type: String, minLength: least, maxLength: most }),
    textField(least, most, ...rest),
  );

/** Text with more marks in a row is refused later, as it came. */
const Composed = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && isStreamSafe(value) ? value.normalize('NFC') : value,
  );

const textField = (
  least: number,
  most: number,
  what: string,
  without: string,
  isSound: (value: string) => boolean,
) =>
  field('text', `must be ${what} of ${least} to ${most} characters ${without}`, (value) => {
    // A character has at most two UTF-16 units: longer text need not be counted, which takes an array of them.
    if (typeof value !== 'string' || value.length > 2 * most) return false;
    const length = value.length > most ? [...value].length : value.length;
    return length >= least && length <= most && isSound(value);
  });

/** An e-mail address. */
export const Email = () =>
  applyDecorators(
    ApiProperty({ format: 'email' }),
    field('email', 'must be an e-mail address', isEmailAddress),
  );

/** A JSON integer from `least` to `most`. */
export function Int(least: number, most: number): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'integer', minimum: least, maximum: most }),
    field(
      'int',
      `must be an integer from ${least} to ${most}`,
      (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    ),
  );
}

/** A JSON number from `least` to `most`. */
export function Decimal(least: number, most: number): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'number', minimum: least, maximum: most }),
    field(
      'decimal',
      `must be a number from ${least} to ${most}`,
      (value) => typeof value === 'number' && value >= least && value <= most,
    ),
  );
}

/** The positive integer that names a resource. */
export const Id = () => Int(1, MAX_ID);

const isId = (value: unknown) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_ID;

/** One to `most` ids, each of them once. */
export const Ids = (most: number) =>
  applyDecorators(
    ApiProperty({
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: MAX_ID },
      minItems: 1,
      maxItems: most,
      uniqueItems: true,
    }),
    field('ids', `must be 1 to ${most} ids, each of them once`, (value) => {
      if (!Array.isArray(value) || value.length === 0 || value.length > most) return false;
      return value.every(isId) && new Set(value).size === value.length;
    }),
  );

/** An instant in RFC 3339 with its offset, in the years 1 to 9999 of UTC. Digits past the millisecond are dropped. */
export function Instant(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, format: 'date-time' }),
    field(
      'instant',
      'must be a time in RFC 3339 with an offset, such as 2030-01-31T20:00:00Z',
      (value) => typeof value === 'string' && isInstant(value),
    ),
  );
}

/** An instant that is not before the one in `earlier`. */
export const NotBefore = (earlier: string) =>
  field('notBefore', `must not be before ${earlier}`, (value, owner) => {
    const [start, end] = [Date.parse(String(owner[earlier])), Date.parse(String(value))];
    return Number.isNaN(start) || Number.isNaN(end) || end >= start;
  });

/** A list of `least` to `most` objects, of which each is validated as its DTO. (`ValidateNested` lets lists of lists through.) */
export const ListOf = (dto: () => new () => object, least: number, most: number) =>
  applyDecorators(
    field(
      'list',
      `must be a list of ${least} to ${most} objects`,
      (value) =>
        Array.isArray(value) &&
        value.length >= least &&
        value.length <= most &&
        value.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each)),
    ),
    ValidateNested({ each: true, message: 'must be an object' }),
    Type(dto),
  );

/** An address of the web. */
export const WebAddress = () =>
  applyDecorators(
    ApiProperty({ type: String, format: 'uri', maxLength: 2_000 }),
    field(
      'webAddress',
      'must be an address with http or https of at most 2000 visible characters',
      (value) => typeof value === 'string' && /^https?:\/\/[!-~]{1,1990}$/.test(value) && URL.canParse(value),
    ),
  );

/** The code of a currency (ISO 4217), such as EUR. */
export const Currency = () =>
  applyDecorators(
    ApiProperty({ type: String, pattern: '^[A-Z]{3}$' }),
    field('currency', 'must be the code of a currency in ISO 4217, such as EUR', (value) =>
      CURRENCIES.has(value),
    ),
  );

const CURRENCIES: ReadonlySet<unknown> = new Set(Intl.supportedValuesOf('currency'));

/** The name of a time zone in the IANA database, such as Europe/Berlin. */
export const TimeZone = () =>
  applyDecorators(
    ApiProperty({ type: String, pattern: TIME_ZONE.source, maxLength: MAX_TIME_ZONE }),
    field(
      'timeZone',
      'must be the name of a time zone in the IANA database, such as Europe/Berlin',
      (value) => typeof value === 'string' && isTimeZone(value),
    ),
  );

const MAX_TIME_ZONE = 64;
const TIME_ZONE = /^[A-Z][\w+-]*(\/[A-Z][\w+-]*){0,2}$/;
/** Names that Intl knows and the database of time zones does not, each for a zone that few would expect: BST is Asia/Dhaka. */
const NOT_IANA =
  /^((A[CEGRS]|BE|BS|CA|CN|CS|CT|EA|EC|IE|IS|JS|MI|NE|NS|PL|PN|PR|PS|SS|VS)T|SystemV\/.*|US\/Pacific-New|Canada\/East-Saskatchewan)$/;

function isTimeZone(name: string): boolean {
  if (name.length > MAX_TIME_ZONE || !TIME_ZONE.test(name) || NOT_IANA.test(name)) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    // Intl takes letters of any case; others, such as calendars, do not.
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}

/** May be left out, which null is not. */
export const MayBeLeftOut = () => ValidateIf((_owner, value) => value !== undefined);

/** Must not come where `other` does. */
export const NotTogetherWith = (other: string) =>
  field('notTogether', `must not come together with ${other}`, (_value, owner) => owner[other] == null);

/** May be left out or null, but only together with `other`. */
export const OptionalTogetherWith = (other: string) =>
  applyDecorators(
    ApiProperty({ required: false, nullable: true }),
    ValidateBy({
      name: 'together',
      validator: {
        validate: (value, args?: ValidationArguments) =>
          (value ?? null) === null || ((args?.object ?? {}) as Record<string, unknown>)[other] != null,
        defaultMessage: () => `must come together with ${other}`,
      },
    }),
    IsOptional(),
  );

/** May be left out, or be null, but only together with `other`: half of a pair can't be changed. */
export const ChangedTogetherWith = (other: string) =>
  applyDecorators(
    ApiProperty({ required: false, nullable: true }),
    field(
      'together',
      `must come together with ${other}`,
      (value, owner) => value != null && owner[other] != null,
    ),
    ValidateIf(
      (owner: Record<string, unknown>, value) =>
        value !== undefined && (value !== null || owner[other] === undefined),
    ),
  );

/** A place as `latitude,longitude` in degrees. */
export function Place(): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: String, pattern: PLACE.source }),
    field('place', 'must be a latitude and a longitude in degrees, such as 51.5072,-0.1276', (value) => {
      const [, latitude, longitude] = (typeof value === 'string' ? PLACE.exec(value) : null) ?? [];
      return Math.abs(Number(latitude)) <= 90 && Math.abs(Number(longitude)) <= 180;
    }),
  );
}

const PLACE = /^(-?\d{1,3}(?:\.\d{1,16})?),(-?\d{1,3}(?:\.\d{1,16})?)$/;

/** Turns the text of a query parameter into the number it spells, and leaves everything else for the check to refuse. */
export const NumberFromQuery = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d{1,16}(\.\d{1,16})?$/.test(value) ? Number(value) : value,
  );
