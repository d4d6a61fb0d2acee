import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '../../src/config/settings';
import { openDatabase } from '../../src/database/open-database';
import { settingsFor } from '../../src/database/session-settings';
import { TixxetyDataSource } from '../../src/database/tixxety-data-source';
import { startTestApi, type TestApi } from '../support/api';
import { createBareDatabase, createDatabase, runSql, type TestDatabase } from '../support/databases';
import { Client } from '../support/client';
import { runScript, startMain } from '../support/processes';
import { eventBody } from '../support/factories';
import { services } from '../support/services';

/** As odd as a database may be set, one by one and all at once. */
const ODD: Record<string, string> = {
  datestyle: 'German',
  timezone: 'Asia/Kolkata',
  intervalstyle: 'sql_standard',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  array_nulls: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  standard_conforming_strings: 'off',
  statement_timeout: '1',
  lock_timeout: '1',
  idle_session_timeout: '1',
  enable_seqscan: 'on',
};

const OLD = '1900-01-02T03:04:05.678Z';
const LATITUDE = 51.123456789012344;

// Processes start slowly on a busy machine.
jest.setTimeout(60_000);

describe('a database that tells its sessions otherwise', () => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await createDatabase();
    for (const [name, value] of Object.entries(ODD))
      await runSql(services.addresses.server, `ALTER DATABASE ${database.name} SET ${name} = '${value}'`);
    api = await startTestApi({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  it('is answered like any other: times, numbers and bytes come back as they went in', async () => {
    const venue = { address: null, latitude: LATITUDE, longitude: -0.1 };
    const event = await api.create.event({ start_time: OLD, end_time: '2099-01-01T00:00:00.000Z', venue });
    expect((await api.client.get(`/events/${event.id}`)).body).toMatchObject({
      start_time: OLD,
      end_time: '2099-01-01T00:00:00.000Z',
      venue,
    });
    const user = await api.create.user();
    const reserve = () =>
      api.client.post(
        '/tickets/',
        { user_id: user.id, event_id: event.id },
        { 'Idempotency-Key': 'bytes-are-compared' },
      );
    const [first, second] = [await reserve(), await reserve()];
    expect(first).toMatchObject({ status: 201, body: { expires_at: expect.stringMatching(/Z$/) } });
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  it('has sessions of ours that are set as they must be, and the doctor agrees', async () => {
    const rows = await api.sql<{ name: string; setting: string }>(
      'SELECT lower(name) AS name, setting FROM pg_settings WHERE lower(name) = ANY ($1)',
      [Object.keys(settingsFor('api'))],
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual(settingsFor('api'));
    const { output } = await runScript('doctor/main', [], { DATABASE_URL: database.url });
    expect(output).toMatch(/ok +sessions/);
  });

  it('is refused behind a pooler, which can not pass ours on, in a sentence that names each', async () => {
    const settings = readSettings({ DATABASE_URL: database.url, DATABASE_POOLER: 'transaction' });
    // What keeps even the question from being answered.
    for (const name of ['statement_timeout', 'lock_timeout', 'idle_session_timeout'])
      await runSql(services.addresses.server, `ALTER DATABASE ${database.name} RESET ${name}`);
    await expect(openDatabase({ settings, migrate: false, say: () => undefined }, 'api')).rejects.toThrow(
      /^DATABASE_URL: array_nulls is off, not on, bytea_output is escape, not hex, datestyle is German, DMY, not ISO, MDY, .*default_transaction_isolation is serializable, not read committed, .+\.$/,
    );
    const { output } = await runScript('doctor/main', [], {
      DATABASE_URL: database.url,
      DATABASE_POOLER: 'transaction',
    });
    expect(output).toMatch(/WRONG +sessions .*statement_timeout/);
  });
});

describe('the time zone of a process', () => {
  it('moves no time, not even one before its clocks were set by the hour', async () => {
    const database = await createDatabase();
    const api = await startMain([], { DATABASE_URL: database.url, TZ: 'Asia/Kolkata' });
    const { body, status } = await new Client(api.url).post('/events/', {
      ...eventBody(),
      start_time: OLD,
      end_time: OLD,
    });
    expect({ status, start: body.start_time }).toEqual({ status: 201, start: OLD });
    const [row] = await database.sql(`SELECT start_time = $1::timestamptz AS same FROM events`, [OLD]);
    expect(row).toEqual({ same: true });
    await api.stop();
    await database.drop();
  });
});

describe('what DATABASE_URL says besides', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  const urlWith = (params: Record<string, string>) => {
    const url = new URL(database.url);
    for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
    return url.href;
  };
  async function inSession<Row = object>(
    url: string,
    sql: string,
    said: string[] = [],
    environment: Record<string, string> = {},
  ): Promise<Row> {
    const settings = readSettings({ DATABASE_URL: url, ...environment });
    const dataSource = await new TixxetyDataSource(
      settings,
      'api',
      (line) => void said.push(line),
    ).initialize();
    try {
      return (await dataSource.query<Row[]>(sql))[0] as Row;
    } finally {
      await dataSource.destroy();
    }
  }

  it('is merged with what we say: options, application_name', async () => {
    const url = urlWith({ options: '-c work_mem=7MB --geqo=off', application_name: 'shop' });
    const read = `SELECT current_setting('work_mem') AS work_mem, current_setting('geqo') AS geqo,
      current_setting('enable_seqscan') AS seqscan, current_setting('statement_timeout') AS timeout,
      current_setting('application_name') AS name`;
    expect(await inSession(url, read)).toEqual({
      work_mem: '7MB',
      geqo: 'off',
      seqscan: 'off',
      timeout: '2500ms',
      name: 'shop api',
    });
  });

  it.each([
    [
      { options: '-c statement_timeout=0' },
      /^DATABASE_URL or PGOPTIONS sets statement_timeout, .+ to 2500: take it out\.$/,
    ],
    [{ options: '--DateStyle=German' }, /^DATABASE_URL or PGOPTIONS sets datestyle, .+\.$/],
    [{ statement_timeout: '0' }, /^DATABASE_URL sets statement_timeout, .+\.$/],
    [{ query_timeout: '0' }, /^DATABASE_URL sets query_timeout, .+\.$/],
    [{ client_encoding: 'LATIN1' }, /^DATABASE_URL: client_encoding must be UTF8\.$/],
    [{ connect_timeout: 'soon' }, /^DATABASE_URL: connect_timeout must be a whole number of seconds\.$/],
    [{ sslmode: 'please' }, /^DATABASE_URL: sslmode must be one of .+\.$/],
    [
      { sslmode: 'verify-ca', uselibpqcompat: 'true' },
      /^DATABASE_URL: sslmode=verify-ca needs sslrootcert\.$/,
    ],
    [{ sslnegotiation: 'soon' }, /^DATABASE_URL: sslnegotiation must be postgres or direct\.$/],
    [{ port: '543x' }, /^DATABASE_URL: port must be a whole number from 1 to 65535\.$/],
    [{ options: '--nonsense' }, /^DATABASE_URL: no connection to \S+ \(.+\); correct `options` of [^\n]+\.$/],
    [
      { options: '-c foo=bar' },
      /^DATABASE_URL: no connection to \S+ \(.+"foo"\); correct `options` of [^\n]+\.$/,
    ],
    [{ options: '-c work_mem=lots' }, /\(.+"work_mem": "lots"\); correct `options` of [^\n]+\.$/],
    [{ options: 'nonsense' }, /\(.+nonsense\); correct `options` of [^\n]+\.$/],
    [{ sslmode: 'verify-full', sslrootcert: '/no/ca.pem' }, /'\/no\/ca\.pem'\); correct the path [^\n]+\.$/],
    [
      { sslmode: 'verify-full' },
      /not support SSL[^\n]+\); turn ssl on there, or set sslmode=disable [^\n]+\.$/,
    ],
    [{ user: 'nobody-here' }, /"nobody-here"\); correct user and password .+ROLE nobody-here LOGIN .+\.$/],
    [{ password: 'wrong' }, /\(password .+\); correct user and password [^\n]+\.$/],
  ])('is refused in one sentence where both can not be had: %j', async (params, sentence) => {
    await expect(inSession(urlWith(params as Record<string, string>), 'SELECT 1')).rejects.toThrow(sentence);
  });

  it('asks for TLS in each mode as the driver does it, which then has nothing to warn of', async () => {
    const modes = ['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
    const modeFor = (sslmode: string, more = {}) => {
      const { DATABASE_URL = '' } = readSettings({ DATABASE_URL: urlWith({ sslmode, ...more }) });
      return new URL(DATABASE_URL).searchParams.get('sslmode');
    };
    expect(modes.map((mode) => modeFor(mode))).toEqual([...Array(4).fill('verify-full'), 'no-verify']);
    expect(modeFor('require', { uselibpqcompat: 'true' })).toBe('require');
    const settings = { DATABASE_URL: urlWith({ sslmode: 'require' }) };
    const { code, output } = await runScript('migration', ['show'], settings);
    expect({ code, output }).toEqual({
      code: 1,
      output: expect.stringMatching(/^DATABASE_URL: [^\n]+\.\n$/),
    });
  });

  it('is merged with PGOPTIONS of the environment, too, and comes before it', async () => {
    const PGOPTIONS = '-c work_mem=7MB -c geqo=off';
    const read = `SELECT current_setting('work_mem') AS work_mem, current_setting('geqo') AS geqo,
      current_setting('statement_timeout') AS timeout`;
    const url = urlWith({ options: '-c work_mem=8MB' });
    expect(await inSession(url, read, [], { PGOPTIONS })).toEqual({
      work_mem: '8MB',
      geqo: 'off',
      timeout: '2500ms',
    });
    await expect(inSession(database.url, read, [], { PGOPTIONS: '-c lock_timeout=0' })).rejects.toThrow(
      /^DATABASE_URL or PGOPTIONS sets lock_timeout, .+\.$/,
    );
  });

  it('is named where it changes nothing', async () => {
    const said: string[] = [];
    await inSession(urlWith({ channel_binding: 'require', schema: 'shop' }), 'SELECT 1', said);
    expect(said).toEqual(['DATABASE_URL: channel_binding, schema is not known here and changes nothing.']);
  });

  it('may lead through a socket, with nothing between user and path', async () => {
    const { port, username, password } = new URL(database.url);
    const folder = mkdtempSync(join(tmpdir(), 'tixxety-socket-'));
    const server = createServer((near) => {
      const far = connect(Number(port), '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const end of [near, far]) end.on('error', () => undefined);
    }).listen(join(folder, '.s.PGSQL.5432'));
    await once(server, 'listening');
    const url = `postgres://${username}:${password}@/${database.name}?host=${folder}`;
    expect(await inSession(url, 'SELECT current_database() AS name')).toEqual({ name: database.name });
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('is told to trust the certificate of a server that no authority has signed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tixxety-tls-'));
    const request = 'req -x509 -newkey ed25519 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost';
    execFileSync('openssl', request.split(' '), { cwd: folder, stdio: 'ignore' });
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file)));
    const server = createServer((socket) => {
      socket.once('data', () => {
        socket.write('S'); // as PostgreSQL agrees to TLS
        new TLSSocket(socket, { isServer: true, key, cert }).on('error', () => undefined);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(
      inSession(`postgres://ada@127.0.0.1:${port}/shop?sslmode=require`, 'SELECT 1'),
    ).rejects.toThrow(
      /^DATABASE_URL: no connection .+\(self.signed certificate\); correct sslrootcert [^\n]+\.$/,
    );
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('may leave out the database, which then has the name of the user', async () => {
    const url = new URL(services.addresses.server);
    url.pathname = '';
    const found = inSession(url.href, 'SELECT current_database() = current_user AS same');
    await expect(found).resolves.toEqual({ same: true });
  });

  it('must find the extensions: one sentence says how', async () => {
    const elsewhere = await createBareDatabase();
    await elsewhere.sql('CREATE SCHEMA tools; CREATE EXTENSION cube SCHEMA tools');
    await expect(inSession(elsewhere.url, 'SELECT 1')).rejects.toThrow(
      /^DATABASE_URL: the extension cube is in the schema tools, .+search_path.+\.$/,
    );
    const url = new URL(elsewhere.url);
    url.searchParams.set('options', '-c search_path=public,tools');
    const settings = readSettings({ DATABASE_URL: url.href });
    const dataSource = await openDatabase({ settings, migrate: true, say: () => undefined }, 'api');
    await dataSource.destroy();
    await elsewhere.drop();
  });
});
