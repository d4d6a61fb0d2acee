import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMain } from '../../test/support/processes';
import { paymentProviderOf } from './payment-settings';
import { readSettings } from './settings';
import { StartupError } from './startup-error';

describe('the settings', () => {
  it('have defaults', () => {
    expect({ ...readSettings({}) }).toEqual({
      NODE_ENV: 'development',
      PORT: 8000,
      HOST: '127.0.0.1',
      WEB_CONCURRENCY: 1,
      WORKER_PORT: 0,
      DATABASE_POOLER: 'none',
      DATA_DIR: '.tixxety',
      HOLD_SECONDS: 120,
      MAX_HOLDS_PER_USER_EVENT: 10,
      MAX_HOLDS_PER_NETWORK_EVENT: 500,
      HOLD_COOL_DOWN_SECONDS: 600,
      CREATE_EVENTS: 'anyone',
      MAX_EVENTS_PER_USER_HOUR: 20,
      RATE_LIMIT_PER_MINUTE: 600,
      TRUST_PROXY: 0,
      CORS_ORIGINS: [],
      GATE_PAGE: 'on',
      LOG_LEVEL: 'info',
    });
  });

  it('lose the line end of the file that a value was read from, and nothing else', () => {
    const environment = {
      METRICS_TOKEN: 'a-token-of-a-file\r\n',
      REDIS_URL: 'redis://:s%40crt@redis.example.com\n',
    };
    expect(readSettings(environment)).toMatchObject({
      METRICS_TOKEN: 'a-token-of-a-file',
      REDIS_URL: 'redis://:s%40crt@redis.example.com',
    });
  });

  it('are what the environment says, and nothing that it says besides', () => {
    const environment = {
      NODE_ENV: 'production',
      PORT: '0',
      HOST: '0.0.0.0',
      WEB_CONCURRENCY: '4',
      WORKER_PORT: '65535',
      DATABASE_URL: 'postgresql://ada:s%40crt@db.example.com/tickets?sslmode=verify-full',
      DATABASE_POOLER: 'transaction',
      REDIS_URL: 'rediss://:s%40crt@redis.example.com:6380/1',
      DATA_DIR: '/var/lib/tixxety',
      JWT_SECRET: 'first-of-two-secrets-0123456789abcdef,second-of-two-secrets-0123456789abcdef',
      ADMIN_EMAIL: 'admin@example.com',
      ADMIN_PASSWORD: 'twelve or more',
      HOLD_SECONDS: '604800',
      MAX_HOLDS_PER_USER_EVENT: '0',
      MAX_HOLDS_PER_NETWORK_EVENT: '0',
      HOLD_COOL_DOWN_SECONDS: '0',
      CREATE_EVENTS: 'organizers',
      MAX_EVENTS_PER_USER_HOUR: '0',
      RATE_LIMIT_PER_MINUTE: '0',
      PUBLIC_URL: 'https://tickets.example.com/',
      PAYMENT_PROVIDER: 'stripe',
      STRIPE_SECRET_KEY: 'sk_live_0123456789',
      STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef,whsec_abcdef0123456789',
      STRIPE_API_BASE: 'http://127.0.0.1:12111',
      SANDBOX_URL: 'http://127.0.0.1:8100/sandbox',
      SANDBOX_SECRET: 'sixteen=letters!',
      TRUST_PROXY: '10.0.0.0/8, ::1',
      CORS_ORIGINS: 'https://shop.example.com,http://localhost:3000',
      METRICS_TOKEN: 'sixteen=letters!',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.com:4318',
      QUEUE_DASHBOARD: 'on',
      GATE_PAGE: 'off',
      LOG_LEVEL: 'silent',
    };
    expect({ ...readSettings({ ...environment, HOME: '/root', constructor: 'x' }) }).toEqual({
      ...environment,
      PORT: 0,
      WEB_CONCURRENCY: 4,
      WORKER_PORT: 65_535,
      JWT_SECRET: environment.JWT_SECRET.split(','),
      HOLD_SECONDS: 604_800,
      MAX_HOLDS_PER_USER_EVENT: 0,
      MAX_HOLDS_PER_NETWORK_EVENT: 0,
      HOLD_COOL_DOWN_SECONDS: 0,
      MAX_EVENTS_PER_USER_HOUR: 0,
      RATE_LIMIT_PER_MINUTE: 0,
      PUBLIC_URL: 'https://tickets.example.com',
      STRIPE_WEBHOOK_SECRET: environment.STRIPE_WEBHOOK_SECRET.split(','),
      TRUST_PROXY: ['10.0.0.0/8', '::1'],
      CORS_ORIGINS: ['https://shop.example.com', 'http://localhost:3000'],
    });
  });

  it('count as unset where they are empty', () => {
    const empty = Object.fromEntries(
      Object.keys(readSettings({}))
        .concat('DATABASE_URL', 'REDIS_URL')
        .map((name) => [name, '']),
    );
    expect(readSettings(empty)).toEqual(readSettings({}));
  });

  it.each([
    ['NODE_ENV', 'prod'],
    ['PORT', 'http'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['PORT', ' 80'],
    ['PORT', '0x50'],
    ['PORT', '1e3'],
    ['WEB_CONCURRENCY', '0'],
    ['WEB_CONCURRENCY', 'auto'],
    ['WORKER_PORT', '65536'],
    ['DATABASE_URL', 'mysql://localhost/tickets'],
    ['DATABASE_URL', 'localhost:5432'],
    ['DATABASE_URL', 'postgres://'],
    ['DATABASE_URL', 'postgres://db host/tickets'],
    ['DATABASE_URL', 'postgres://db:99999/tickets'],
    ['DATABASE_URL', 'postgres://ada:pass/word@db/tickets'],
    ['DATABASE_URL', 'postgres://ada:pa%ss@db/tickets'],
    ['DATABASE_URL', 'postgres://ada:pa%ss@/tickets?host=/run/postgresql'],
    ['DATABASE_POOLER', 'session'],
    ['REDIS_URL', '127.0.0.1:6379'],
    ['REDIS_URL', 'redis://:s%40crt%0A@redis.example.com'],
    ['REDIS_URL', 'redis://:pa%ss@redis.example.com'],
    ['REDIS_URL', 'http://127.0.0.1:6379'],
    ['REDIS_URL', 'redis://[::1:6379'],
    ['REDIS_URL', 'redis://redis.example.com/abc'],
    ['JWT_SECRET', 'x'.repeat(31)],
    ['JWT_SECRET', 'x'.repeat(64)],
    ['JWT_SECRET', 'correct-horse-'.repeat(4)],
    ['JWT_SECRET', 'change-me-change-me-change-me-change'],
    ['JWT_SECRET', 'a-secret-that-is-good-0123456789abcdef,'],
    ['HOLD_SECONDS', '0'],
    ['HOLD_SECONDS', '604801'],
    ['HOLD_SECONDS', '2 minutes'],
    ['MAX_HOLDS_PER_USER_EVENT', '-1'],
    ['MAX_HOLDS_PER_USER_EVENT', '1000001'],
    ['MAX_HOLDS_PER_NETWORK_EVENT', 'all'],
    ['HOLD_COOL_DOWN_SECONDS', '10m'],
    ['CREATE_EVENTS', 'admins'],
    ['MAX_EVENTS_PER_USER_HOUR', '-1'],
    ['RATE_LIMIT_PER_MINUTE', '-1'],
    ['PUBLIC_URL', 'tickets.example.com'],
    ['PUBLIC_URL', 'https://tickets.example.com/?shop=1'],
    ['PUBLIC_URL', 'https://ada:secret@tickets.example.com'],
    ['PAYMENT_PROVIDER', 'cash'],
    ['PAYMENT_PROVIDER', 'stripe'],
    ['STRIPE_SECRET_KEY', 'pk_live_0123456789'],
    ['STRIPE_WEBHOOK_SECRET', 'whsec_'],
    ['STRIPE_WEBHOOK_SECRET', 'whsec_0123456789abcdef,'],
    ['STRIPE_API_BASE', 'api.stripe.com'],
    ['STRIPE_API_BASE', 'https://api.stripe.com/v1'],
    ['SANDBOX_URL', 'http://127.0.0.1:8100/sandbox'],
    ['SANDBOX_SECRET', 'fifteen-letters'],
    ['TRUST_PROXY', 'true'],
    ['TRUST_PROXY', '17'],
    ['TRUST_PROXY', '10.0.0.1,'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'shop.example.com'],
    ['CORS_ORIGINS', 'https://shop.example.com/'],
    ['METRICS_TOKEN', 'fifteen-letters'],
    ['METRICS_TOKEN', 'no spaces between them'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['QUEUE_DASHBOARD', 'yes'],
    ['GATE_PAGE', 'yes'],
    ['LOG_LEVEL', 'loud'],
  ])('refuse %s=%s in one sentence that names it', (name, value) => {
    const read = () => readSettings({ [name]: value });
    expect(read).toThrow(StartupError);
    expect(read).toThrow(new RegExp(`^${name} must [^\\n]+\\.$`));
  });

  it('refuse the sandbox in production, where none is the provider, and nowhere else', () => {
    const read = (NODE_ENV: string, PAYMENT_PROVIDER?: string) =>
      paymentProviderOf(readSettings({ NODE_ENV, PAYMENT_PROVIDER }));
    expect(() => read('production', 'sandbox')).toThrow(/^PAYMENT_PROVIDER must not be sandbox [^\n]+\.$/);
    expect([read('production'), read('test'), read('development', 'sandbox'), read('test', 'none')]).toEqual([
      'none',
      'sandbox',
      'sandbox',
      'none',
    ]);
  });

  it('refuse the JWT_SECRET of .env.example, also once it is no comment any more', () => {
    const [, secret] = /^# JWT_SECRET=(.+)$/m.exec(readFileSync('.env.example', 'utf8')) ?? [];
    expect(() => readSettings({ JWT_SECRET: secret })).toThrow(/^JWT_SECRET must [^\n]+\.$/);
  });

  it.each([
    ['METRICS_TOKEN', '.env.example'],
    ['METRICS_TOKEN', 'metrics-token-metrics-token'],
    ['METRICS_TOKEN', 'aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['METRICS_TOKEN', 'correct-example-token'],
    ['DATABASE_URL', '.env.example'],
    ['DATABASE_URL', 'postgres://tixxety:tixxety@db:5432/tixxety'],
    ['DATABASE_URL', 'postgres://shop:Postgres1@db:5432/shop'],
    ['DATABASE_URL', 'postgres://shop:pass%77ord@db:5432/shop'],
    ['DATABASE_URL', 'postgres://shop:change-me-please-now@db:5432/shop'],
    ['DATABASE_URL', 'postgres://shop:secret@/shop?host=/run/postgresql'],
    ['REDIS_URL', 'redis://:redis@redis:6379'],
  ])('refuse in production, and there alone, the worn secret of %s: %s', (name, given) => {
    const [, example] = RegExp(`^# ${name}=(.+)$`, 'm').exec(readFileSync('.env.example', 'utf8')) ?? [];
    const value = given === '.env.example' ? example : given;
    const read = () => readSettings({ NODE_ENV: 'production', [name]: value });
    expect(read).toThrow(StartupError);
    expect(read).toThrow(new RegExp(`^${name} must not [^\\n]+\\.$`));
    expect(() => readSettings({ [name]: value })).not.toThrow();
  });

  it.each([
    ['METRICS_TOKEN', '5a8bb3a02dc7e1ff0c94ad21b3d7d3b1'],
    ['DATABASE_URL', 'postgres://tixxety:0c94ad21b3d7d3b15a8bb3a02dc7e1ff@db:5432/tixxety'],
    ['DATABASE_URL', 'postgres://tixxety@db:5432/tixxety'],
    ['DATABASE_URL', 'postgres://tixxety:%25zz0c94ad21b3d7@db:5432/tixxety'],
    ['REDIS_URL', 'redis://redis:6379'],
  ])('take in production what nobody guesses: %s=%s', (name, value) => {
    expect(() => readSettings({ NODE_ENV: 'production', [name]: value })).not.toThrow();
  });

  it('want an admin with e-mail and password, or none', () => {
    const [ADMIN_EMAIL, ADMIN_PASSWORD] = ['admin@example.com', 'twelve or more'];
    expect(() => readSettings({ ADMIN_EMAIL })).toThrow(/^ADMIN_PASSWORD must [^\n]+\.$/);
    expect(() => readSettings({ ADMIN_PASSWORD })).toThrow(/^ADMIN_EMAIL must [^\n]+\.$/);
    expect(() => readSettings({ ADMIN_EMAIL, ADMIN_PASSWORD: 'short' })).toThrow(
      /^ADMIN_PASSWORD must have 12 to 128 characters and be set together with ADMIN_EMAIL\.$/,
    );
    expect(() => readSettings({ ADMIN_EMAIL, ADMIN_PASSWORD: 'password1234' })).toThrow(
      /^ADMIN_PASSWORD is one /,
    );
    expect(() => readSettings({ ADMIN_EMAIL: 'admin', ADMIN_PASSWORD })).toThrow(/^ADMIN_EMAIL must /);
  });

  it('never show a value that is refused: it may hold a password', () => {
    expect(() => readSettings({ DATABASE_URL: 'postgres://ada:hunter2@[db' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });

  it('are refused all at once', () => {
    expect(() => readSettings({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/^PORT .+\.\nLOG_LEVEL .+\.$/);
  });

  // Jest keeps the environment that a file is read into out of the tests' sight; the build has no such wall.
  describe('in .env', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tixxety-settings-'));
    const file = join(folder, '.env');
    afterAll(() => rmSync(folder, { recursive: true }));

    it('fill in what the environment leaves out', async () => {
      writeFileSync(file, 'PORT=from-file\nHOLD_SECONDS=from-file\n');
      const { code, stderr } = await runMain([], { PORT: '0', DATABASE_URL: 'nonsense' }, folder);
      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toEqual([
        expect.stringMatching(/^DATABASE_URL must /),
        expect.stringMatching(/^HOLD_SECONDS must /),
      ]);
    });

    it('are refused with a sentence when the file can not be read', async () => {
      rmSync(file);
      mkdirSync(file);
      const { code, stderr } = await runMain([], {}, folder);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^\.env could not be read: .+\n$/);
    });
  });
});
