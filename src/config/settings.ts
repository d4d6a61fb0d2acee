import { isIP } from 'node:net';
import { Transform, plainToInstance } from 'class-transformer';
import {
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  Length,
  Matches,
  ValidateBy,
  ValidateIf,
  getMetadataStorage,
  validateSync,
} from 'class-validator';
import { readableUrl, withOptions } from './database-url';
import { environmentWithDotEnv } from './dot-env';
import { isEmailAddress } from '../text/email';
import { Secrets, Unguessable, UnwornPassword, UnwornToken } from './secrets';
import { StartupError } from './startup-error';

/** What the operator can set, as the environment names it. Every default is safe on a developer's machine. */
export class Settings {
  /** `production` turns development conveniences off. */
  @IsIn(['development', 'test', 'production'], { message: 'must be development, test or production' })
  NODE_ENV: 'development' | 'test' | 'production' = 'development';

  /** TCP port of the API; 0 lets the system choose one. */
  @WholeNumber(0, 65_535)
  PORT = 8000;

  /** Address the API listens on; `0.0.0.0` for every interface. */
  @IsString()
  @IsNotEmpty()
  HOST = '127.0.0.1';

  /** How many API processes share the port. */
  @WholeNumber(1, 256)
  WEB_CONCURRENCY = 1;

  /** Port on which a worker answers health checks; 0 lets the system choose, so that any number can run. */
  @WholeNumber(0, 65_535)
  WORKER_PORT = 0;

  /** `postgres://…`; unset: an embedded PostgreSQL under `DATA_DIR`. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? readableUrl(value) : value))
  @Url(/^postgres(ql)?:\/\/\S+$/, 'postgres://user:password@host:5432/database')
  @PasswordInOneLine()
  @UnwornPassword()
  DATABASE_URL?: string;

  /** `transaction`: between here and PostgreSQL stands PgBouncer or its like, and lends sessions by the transaction. */
  @IsIn(['none', 'transaction'], { message: 'must be none or transaction' })
  DATABASE_POOLER: 'none' | 'transaction' = 'none';

  /** `redis://…`; unset: expiration runs inside the API process. */
  @IsOptional()
  @Url(/^rediss?:\/\/\S+$/, 'redis://host:6379')
  @PasswordInOneLine()
  @UnwornPassword()
  REDIS_URL?: string;

  /** Folder of the embedded PostgreSQL and of what else is kept between starts. */
  @IsString()
  @IsNotEmpty()
  DATA_DIR = '.tixxety';

  /** Secrets that sign access tokens, with commas between them; unset: one that is kept under `DATA_DIR`. */
  @IsOptional()
  @Secrets()
  JWT_SECRET?: string[];

  /** Secrets that encrypt the keys of tickets, with commas between them; unset: those of `JWT_SECRET`. */
  @IsOptional()
  @Secrets()
  TICKET_KEY_SECRET?: string[];

  /** E-mail of an admin that exists once the API has started, with `ADMIN_PASSWORD`. */
  @ValidateIf(namesAdmin)
  @Email('must be an e-mail address, set together with ADMIN_PASSWORD')
  ADMIN_EMAIL?: string;

  /** Password of that admin; another one than before is taken over. */
  @ValidateIf(namesAdmin)
  @Unguessable()
  @Length(12, 128, { message: 'must have 12 to 128 characters and be set together with ADMIN_EMAIL' })
  ADMIN_PASSWORD?: string;

  /** How long a reserved ticket is held for payment, in seconds. */
  @WholeNumber(1, 604_800)
  HOLD_SECONDS = 120;

  /** Live holds that one user may have on one event; 0 = no limit. */
  @WholeNumber(0, 1_000_000)
  MAX_HOLDS_PER_USER_EVENT = 10;

  /** Live holds that all users of one network may have on one event, but for those that an admin makes; 0 = no limit. */
  @WholeNumber(0, 1_000_000)
  MAX_HOLDS_PER_NETWORK_EVENT = 500;

  /**
   * How long a hold that ended unpaid counts against its user, in seconds: within that time three times as many as the
   * user may have live are let pass; 0 = they don't count.
   */
  @WholeNumber(0, 604_800)
  HOLD_COOL_DOWN_SECONDS = 600;

  /** `organizers`: only an admin creates events; `anyone`: every account does. */
  @IsIn(['anyone', 'organizers'], { message: 'must be anyone or organizers' })
  CREATE_EVENTS: 'anyone' | 'organizers' = 'anyone';

  /** Events that one account may create in an hour, but for admins; 0 = no limit. */
  @WholeNumber(0, 1_000_000)
  MAX_EVENTS_PER_USER_HOUR = 20;

  /** Requests that one caller may make in a minute, reading and writing counted apart; 0 = no limits. */
  @WholeNumber(0, 1_000_000_000)
  RATE_LIMIT_PER_MINUTE = 600;

  /** Proxies in front whose `X-Forwarded-For` is believed: how many, or their addresses and subnets; 0 = none. */
  @TrustedProxies()
  TRUST_PROXY: number | string[] = 0;

  /** Origins whose pages may call the API from a browser. */
  @Origins()
  CORS_ORIGINS: string[] = [];

  /** What Prometheus presents as a bearer token to read `/metrics`; unset: only an admin may. */
  @IsOptional()
  @Matches(/^[!-~]{16,}$/, { message: 'must be at least 16 characters, visible ones of ASCII' })
  @UnwornToken()
  METRICS_TOKEN?: string;

  /** Where traces are sent, by OTLP over HTTP; unset: nowhere. */
  @IsOptional()
  @Url(/^https?:\/\/\S+$/, 'http://127.0.0.1:4318')
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  /** Whether admins see Bull's dashboard at `/queues`; unset: outside production, where there is a `REDIS_URL`. */
  @IsIn(['on', 'off'], { message: 'must be on or off' })
  @IsOptional()
  QUEUE_DASHBOARD?: 'on' | 'off';

  /** Whether the scanner for the gate of an event is served at `/gate`. */
  @IsIn(['on', 'off'], { message: 'must be on or off' })
  GATE_PAGE: 'on' | 'off' = 'on';

  /** pino's level of the log. */
  @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    message: 'must be fatal, error, warn, info, debug, trace or silent',
  })
  LOG_LEVEL = 'info';
}

/** The names of all settings. Each has a check, whether it has a default or not. */
export const SETTING_NAMES = [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(Settings, '', false, false)
      .map(({ propertyName }) => propertyName),
  ),
];

function namesAdmin({ ADMIN_EMAIL, ADMIN_PASSWORD }: Settings): boolean {
  return ADMIN_EMAIL !== undefined || ADMIN_PASSWORD !== undefined;
}

/**
 * Reads and validates the settings. `.env` of the working folder fills in what the environment leaves out; an
 * empty value counts as unset.
 *
 * @throws {StartupError} when a setting is malformed
 */
export function readSettings(environment: NodeJS.ProcessEnv = environmentWithDotEnv()): Settings {
  const valueOf = (name: string) => environment[name]?.replace(/[\r\n]+$/, ''); // that of the file it was read from
  const given = SETTING_NAMES.filter(valueOf).map((name) => [name, valueOf(name)]);
  const settings = plainToInstance(Settings, Object.fromEntries(given), { exposeDefaultValues: true });
  const problems = validateSync(settings).map(
    ({ property, constraints }) => `${property} ${Object.values(constraints ?? {}).join(' and ')}.`,
  );
  if (problems.length > 0) throw new StartupError(problems.join('\n'));
  // Where we set `options` of our own, the driver would leave these out in silence.
  if (settings.DATABASE_URL !== undefined && environment.PGOPTIONS)
    settings.DATABASE_URL = withOptions(settings.DATABASE_URL, environment.PGOPTIONS);
  return settings;
}

/** One that was read from a file may have brought along the line break at the file's end, encoded. */
function PasswordInOneLine(): PropertyDecorator {
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

function Email(message: string): PropertyDecorator {
  return ValidateBy({
    name: 'email',
    validator: { validate: isEmailAddress, defaultMessage: () => message },
  });
}

function Url(pattern: RegExp, example: string): PropertyDecorator {
  return ValidateBy({
    name: 'url',
    validator: {
      validate: (value) => typeof value === 'string' && pattern.test(value) && URL.canParse(value),
      defaultMessage: () => `must look like ${example}`,
    },
  });
}

function WholeNumber(least: number, most: number): PropertyDecorator {
  return Parsed(
    (text) => (/^\d+$/.test(text) ? Number(text) : text),
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    `must be a whole number from ${least} to ${most}`,
  );
}

function TrustedProxies(): PropertyDecorator {
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

function Origins(): PropertyDecorator {
  return Parsed(
    listIn,
    (value) => Array.isArray(value) && value.every(isOrigin),
    'must be origins such as https://shop.example.com, separated by commas',
  );
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function listIn(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** A setting that is something else than its text; what can't be parsed is left for the check to refuse. */
function Parsed(
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
