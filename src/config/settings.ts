import { Transform, plainToInstance } from 'class-transformer';
import {
  IsIn,
  IsNotEmpty,
  IsOptional,
  IsString,
  Length,
  Matches,
  ValidateIf,
  getMetadataStorage,
  validateSync,
} from 'class-validator';
import { readableUrl, withOptions, withStrictSslMode } from './database-url';
import { environmentWithDotEnv } from './dot-env';
import {
  BaseUrl,
  Email,
  NumberedDatabase,
  Origins,
  PasswordInOneLine,
  PercentEncoded,
  TrustedProxies,
  Url,
  WholeNumber,
} from './setting-types';
import { NoSandboxInProduction, WebhookSecrets, WithItsKeys, WithItsSecret } from './payment-settings';
import { Secrets, Unguessable, UnwornPassword, UnwornSecret, UnwornToken } from './secrets';
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
  @PercentEncoded()
  @UnwornPassword()
  DATABASE_URL?: string;

  /** `transaction`: between here and PostgreSQL stands PgBouncer or its like, and lends sessions by the transaction. */
  @IsIn(['none', 'transaction'], { message: 'must be none or transaction' })
  DATABASE_POOLER: 'none' | 'transaction' = 'none';

  /** `redis://…`; unset: expiration runs inside the API process. */
  @IsOptional()
  @Url(/^rediss?:\/\/\S+$/, 'redis://host:6379')
  @NumberedDatabase()
  @PasswordInOneLine()
  @PercentEncoded()
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
  @UnwornSecret()
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

  /** What links in answers and mails begin with; unset: where the API listens. */
  @IsOptional()
  @BaseUrl()
  PUBLIC_URL?: string;

  /** The provider that takes the money; unset: `none` in production, else `sandbox`, which takes no real one. */
  @IsIn(['none', 'sandbox', 'stripe'], { message: 'must be none, sandbox or stripe' })
  @NoSandboxInProduction()
  @WithItsKeys()
  @IsOptional()
  PAYMENT_PROVIDER?: 'none' | 'sandbox' | 'stripe';

  /** Key with which this server calls Stripe. */
  @IsOptional()
  @Matches(/^[rs]k_(test|live)_[!-~]+$/, { message: "must be a secret key of Stripe's, such as sk_live_…" })
  @UnwornSecret()
  STRIPE_SECRET_KEY?: string;

  /** Secrets with which Stripe signs its events, with commas between them. */
  @IsOptional()
  @WebhookSecrets()
  @UnwornSecret()
  STRIPE_WEBHOOK_SECRET?: string[];

  /** Where Stripe's API is; unset: at Stripe. */
  @IsOptional()
  @Url(/^https?:\/\/[^/?#@\s]+$/, 'http://127.0.0.1:12111')
  STRIPE_API_BASE?: string;

  /** Where a sandbox of its own runs; unset: under `/sandbox` of the API. */
  @IsOptional()
  @BaseUrl('http://127.0.0.1:8100/sandbox')
  @WithItsSecret()
  SANDBOX_URL?: string;

  /** The secret key of that sandbox. */
  @IsOptional()
  @Length(16, 200, { message: 'must have 16 to 200 characters' })
  @UnwornSecret()
  SANDBOX_SECRET?: string;

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
  // Of a setting the first problem suffices: several make no sentence.
  const problems = validateSync(settings, { stopAtFirstError: true }).map(
    ({ property, constraints }) => `${property} ${Object.values(constraints ?? {})[0]}.`,
  );
  if (problems.length > 0) throw new StartupError(problems.join('\n'));
  if (settings.DATABASE_URL !== undefined) settings.DATABASE_URL = withStrictSslMode(settings.DATABASE_URL);
  // Where we set `options` of our own, the driver would leave these out in silence.
  if (settings.DATABASE_URL !== undefined && environment.PGOPTIONS)
    settings.DATABASE_URL = withOptions(settings.DATABASE_URL, environment.PGOPTIONS);
  return settings;
}
