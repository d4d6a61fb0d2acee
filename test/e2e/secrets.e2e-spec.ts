import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { eventually } from '../support/eventually';
import { factoriesFor } from '../support/factories';
import { startMain, type RunningProcess } from '../support/processes';

const PASSWORD = 'canary-password-of-a-guest';
const WRONG_PASSWORD = 'canary-password-misremembered';
const NAME = 'canary-name-in-a-parameter';
const QUERY = 'canary-in-a-query';
const COOKIE = 'canary-in-a-cookie';
const SIGNATURE = 'canary-signature';
const EVENT_BODY = '{"canary": "canary-in-an-event"}';
const SANDBOX_SECRET = 'canary-secret-of-the-provider';

describe('the log', () => {
  let database: TestDatabase;
  let api: RunningProcess;

  beforeAll(async () => {
    database = await createDatabase();
    api = await startMain([], {
      DATABASE_URL: database.url,
      LOG_LEVEL: 'trace',
      SANDBOX_SECRET,
    });
  }, 30_000);
  afterAll(() => database.drop());

  it('tells what happened, and no secret of it', async () => {
    const admin = new Client(api.url);
    const nobody = admin.as('');
    const email = 'canary@example.com';
    const signUp = await nobody.post('/users/', { name: NAME, email, password: PASSWORD });
    const { access_token, refresh_token } = signUp.body;
    const signIn = (password: string) =>
      nobody.post('/auth/token', { grant_type: 'password', username: email, password });
    expect((await signIn(WRONG_PASSWORD)).status).toBe(401);
    const session = (await signIn(PASSWORD)).body;
    const renewal = { grant_type: 'refresh_token', refresh_token: session.refresh_token };
    const renewed = (await nobody.post('/auth/token', renewal)).body;
    expect((await nobody.post('/auth/token', renewal)).status).toBe(401);
    expect((await nobody.post('/auth/revoke', { token: refresh_token })).status).toBe(200);

    const guest = admin.as(renewed.access_token);
    const event = await factoriesFor(admin).event();
    expect((await guest.post('/tickets/', { event_id: event.id })).status).toBe(201);
    expect((await guest.get(`/events/?q=${QUERY}`)).status).toBe(200);
    expect((await guest.get(`/nowhere?access_token=${QUERY}`)).status).toBe(404);
    expect((await guest.get('/', { Cookie: COOKIE })).status).toBe(200);
    expect((await nobody.post('/users/', { name: NAME, email, password: PASSWORD })).status).toBe(409);
    const forged = { 'Content-Type': 'application/json', 'Sandbox-Signature': SIGNATURE };
    const told = await nobody.send('POST', '/payments/events/sandbox', { headers: forged, body: EVENT_BODY });
    expect(told.status).toBe(400);
    // An unforeseen error is logged with its cause, whose statement had these parameters.
    await database.sql('ALTER TABLE users RENAME COLUMN name TO title');
    const other = { name: NAME, email: 'other@example.com', password: PASSWORD };
    expect((await nobody.post('/users/', other)).status).toBe(500);

    await eventually(() => expect(api.output()).toMatch(/POST \/users 500/));
    const { output } = await api.stop();
    for (const line of ['POST /users 201', 'POST /auth/token 401', 'GET /nowhere 404', 'column "name"']) {
      expect(output.replace(/\\"/g, '"')).toContain(line);
    }
    const secrets = {
      PASSWORD,
      WRONG_PASSWORD,
      NAME,
      QUERY,
      COOKIE,
      SIGNATURE,
      EVENT_BODY: 'canary-in-an-event',
      SANDBOX_SECRET,
      access_token,
      refresh_token,
    };
    const more = { session: session.access_token, renewed: renewed.refresh_token, hash: '$argon2' };
    for (const [name, secret] of Object.entries({ ...secrets, ...more })) {
      expect(secret).toEqual(expect.any(String));
      expect({ name, isLogged: output.includes(secret as string) }).toEqual({ name, isLogged: false });
    }
    expect(output).not.toMatch(/bearer|authorization/i);
  }, 30_000);
});
