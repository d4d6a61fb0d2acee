import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, chromiumPath } from '../support/chromium';
import { createDatabase, type TestDatabase } from '../support/databases';
import { startMain, type RunningProcess } from '../support/processes';

/** The account of the documentation's examples. */
const SIGN_IN = { email: 'ada@example.com', password: 'notes on the engine' };

const describeWithChromium = chromiumPath ? describe : describe.skip;

describeWithChromium('Swagger UI', () => {
  let database: TestDatabase;
  let api: RunningProcess;
  let browser: Browser;
  let page: Page;
  /** What the browser had to say; a page that works says nothing. */
  const complaints: string[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    api = await startMain([], { DATABASE_URL: database.url });
    browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_FLAGS });
    page = await browser.newPage();
    page.setDefaultTimeout(60_000); // a busy machine draws an operation in as many seconds as a quiet one in tenths
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await api.stop();
    await database.drop();
  });

  beforeEach(() => {
    complaints.length = 0;
  });

  const operation = (id: string): Locator => page.locator(`[id$="-${id}"]`);

  /** Opens an operation, fills in what is named, and executes it; without a name the documentation's example stays. */
  async function execute(
    id: string,
    { example, body, code }: { example?: string; body?: object; code?: string } = {},
  ): Promise<Locator> {
    const form = operation(id);
    await form.locator('.opblock-summary-control').click();
    await form.getByRole('button', { name: 'Try it out' }).click();
    if (example !== undefined)
      await form.locator('.examples-select select').first().selectOption({ label: example });
    if (body !== undefined) await form.locator('textarea.body-param__text').fill(JSON.stringify(body));
    if (code !== undefined) await form.locator('tr[data-param-name="code"] input').fill(code);
    await form.getByRole('button', { name: 'Execute' }).click();
    return form.locator('.live-responses-table tbody');
  }

  /** Executes an operation as it stands when it is opened, with the example of the documentation; its status. */
  async function tryExample(id: string): Promise<string> {
    return await (await execute(id)).locator('.response-col_status').innerText();
  }

  /** The body of the answer, which must have the status. */
  async function answered<Body = Record<string, unknown>>(
    status: number,
    response: Promise<Locator>,
  ): Promise<Body> {
    const table = await response;
    expect(await table.locator('.response-col_status').innerText()).toContain(String(status));
    return JSON.parse(
      await table.locator('.response-col_description pre.microlight').first().innerText(),
    ) as Body;
  }

  async function signIn(email: string): Promise<Locator> {
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    // Beside it stands another for the devices at gates.
    const form = dialog.locator('.auth-container').filter({ hasText: 'ADMIN_PASSWORD' });
    expect(await form.locator('input:visible, select:visible').count()).toBe(2);
    await form.locator('[id="oauth_username"], [name="username"]').first().fill(email);
    await form.locator('[id="oauth_password"], [name="password"]').first().fill(SIGN_IN.password);
    await form.getByText('Authorize', { exact: true }).click();
    await form.getByText('Logout', { exact: true }).waitFor();
    await form.getByText('Close', { exact: true }).click();
    return dialog;
  }

  it('walks from sign-up to a paid ticket by its examples alone, and stays signed in over a reload', async () => {
    await page.goto(`${api.url}/docs`);
    expect(await tryExample('createUser')).toContain('201');
    expect(await tryExample('createTokens')).toContain('200');
    expect(await operation('createTokens').innerText()).not.toMatch(/client_(id|secret)/);

    const dialog = await signIn(SIGN_IN.email);

    expect(await tryExample('createEvent')).toContain('201');
    expect(await tryExample('reserveTicket')).toContain('201');
    expect(await tryExample('payTicket')).toContain('200');
    expect(await database.sql('SELECT status FROM ticket_states')).toEqual([{ status: 'paid' }]);

    await page.reload();
    expect(await tryExample('getTicket')).toContain('200');
    const kept = await page.evaluate<string>('JSON.stringify([{ ...sessionStorage }, { ...localStorage }])');
    expect(kept).toContain('access_token');
    expect(kept).not.toContain(SIGN_IN.password);
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await dialog.getByText('Logout', { exact: true }).click();
    await dialog.getByText('Close', { exact: true }).first().click();
    await page.goto('about:blank'); // the address of the operation would open it by itself
    await page.goto(`${api.url}/docs`);
    expect(await tryExample('getTicket')).toContain('401');
    // The browser itself reports an answer of 401.
    expect(complaints).toEqual([expect.stringContaining('401')]);
  }, 180_000);

  it('shows a refusal with an example of each of its codes', async () => {
    const codes = await operation('getTicket').locator('.responses-inner').innerText();
    expect(codes).toContain('This needs a valid access token');
    expect(codes).toContain('"code": "unauthenticated"');
  });

  it('shows what to do about an error where its type leads', async () => {
    await page.goto(`${api.url}/docs/errors#event_sold_out`);
    const entry = page.locator('#event_sold_out');
    expect(await entry.innerText()).toContain('tickets_available');
    expect(await page.locator('section:target').getAttribute('id')).toBe('event_sold_out');
    expect(complaints).toEqual([]);
  });

  it('walks from sign-up to a paid order of several types', async () => {
    await page.goto('about:blank');
    await page.goto(`${api.url}/docs`);
    const email = 'grace@example.com';
    await answered(201, execute('createUser', { body: { ...SIGN_IN, name: 'Grace', email } }));
    await signIn(email);
    const event = await answered(201, execute('createEvent', { example: 'With several ticket types' }));
    const types = await database.sql<{ id: string }>(
      'SELECT id FROM ticket_types WHERE event_id = $1 ORDER BY id',
      [event.id],
    );
    const items = types.map(({ id }, i) => ({ ticket_type_id: Number(id), quantity: 2 - i }));
    const { code } = await answered<{ code: string }>(
      201,
      execute('placeOrder', { body: { event_id: event.id, items } }),
    );
    expect(code).toMatch(/^[0-9A-Z]{10}$/);
    expect(await answered(201, execute('payOrder', { code }))).toMatchObject({
      status: 'succeeded',
      amount: 0,
    });
    const paid = { status: 'paid' };
    expect(await answered(200, execute('getOrder', { code }))).toMatchObject({
      ...paid,
      total: 0,
      tickets: [paid, paid, paid],
    });
    expect(complaints).toEqual([]);
  }, 180_000);

  it('walks to an order with a price, paid by the method of its example', async () => {
    await page.goto('about:blank');
    await page.goto(`${api.url}/docs`);
    const email = 'charles@example.com';
    await answered(201, execute('createUser', { body: { ...SIGN_IN, name: 'Charles', email } }));
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.locator('.modal-ux').getByText('Logout', { exact: true }).click();
    await page.locator('.modal-ux').getByText('Close', { exact: true }).first().click();
    await signIn(email);
    const event = await answered(201, execute('createEvent', { example: 'With a price' }));
    const [type] = await database.sql<{ id: string }>('SELECT id FROM ticket_types WHERE event_id = $1', [
      event.id,
    ]);
    const items = [{ ticket_type_id: Number(type?.id), quantity: 2 }];
    const order = await answered<{ code: string; total: number }>(
      201,
      execute('placeOrder', { body: { event_id: event.id, items } }),
    );
    const { code, total } = order;
    expect(total).toBeGreaterThan(0);
    expect(await answered(201, execute('payOrder', { code }))).toMatchObject({
      provider: 'sandbox',
      status: 'succeeded',
      amount: total,
    });
    expect(await answered(200, execute('getOrder', { code }))).toMatchObject({
      status: 'paid',
      amount_paid: total,
    });
    expect(complaints).toEqual([]);
  }, 180_000);
});
