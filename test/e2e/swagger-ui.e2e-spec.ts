import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, chromiumPath } from '../support/chromium';
import { Client } from '../support/client';
import { createDatabase, type TestDatabase } from '../support/databases';
import { factoriesFor } from '../support/factories';
import { startMain, type RunningProcess } from '../support/processes';

const SIGN_IN = { email: 'grace@example.com', password: 'correct horse battery' };

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
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await api.stop();
    await database.drop();
  });

  const operation = (id: string): Locator => page.locator(`[id$="-${id}"]`);

  async function tryOut(id: string, fill: (form: Locator) => Promise<void>): Promise<string> {
    const form = operation(id);
    await form.locator('.opblock-summary-control').click();
    await form.getByRole('button', { name: 'Try it out' }).click();
    await fill(form);
    await form.getByRole('button', { name: 'Execute' }).click();
    return await form.locator('.live-responses-table tbody .response-col_status').innerText();
  }

  it('signs in at the first try, reserves and pays', async () => {
    const create = factoriesFor(new Client(api.url));
    await create.user(SIGN_IN);
    const event = await create.event();
    await page.goto(`${api.url}/docs`);

    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('[id="oauth_username"], [name="username"]').first().fill(SIGN_IN.email);
    await dialog.locator('[id="oauth_password"], [name="password"]').first().fill(SIGN_IN.password);
    await dialog.getByText('Authorize', { exact: true }).click();
    await dialog.getByText('Logout', { exact: true }).waitFor();
    await dialog.getByText('Close', { exact: true }).click();

    expect(
      await tryOut('reserveTicket', (form) =>
        form.locator('textarea').fill(JSON.stringify({ event_id: event.id })),
      ),
    ).toContain('201');
    const [ticket] = await database.sql<{ id: string }>('SELECT id FROM tickets');
    expect(
      await tryOut('payTicket', (form) =>
        form.locator('tr[data-param-name="ticket_id"] input').fill(String(ticket?.id)),
      ),
    ).toContain('200');
    expect(await database.sql('SELECT status FROM tickets')).toEqual([{ status: 'paid' }]);
    expect(complaints).toEqual([]);
  }, 60_000);
});
