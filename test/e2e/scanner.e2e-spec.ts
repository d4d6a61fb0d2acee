import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { startTestApi, type TestApi } from '../support/api';
import { CHROMIUM_FLAGS, chromiumPath } from '../support/chromium';
import { filmOf } from '../support/fake-camera';
import { gateBy, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';

/** What a function has that runs in the page. */
interface Browsing {
  getComputedStyle(node: unknown): { color: string; backgroundColor: string };
  navigator: { serviceWorker: { ready: Promise<unknown> } };
}

/** `SCREENSHOTS=folder npx jest scanner` leaves pictures to be looked at. */
const PICTURES = process.env.SCREENSHOTS;

(chromiumPath ? describe : describe.skip)('the scanner at /gate', () => {
  let api: TestApi;
  let organizer: Party;
  let event: { id: number; type: number };
  let device: { id: number; token: string };
  let other: { id: number; token: string };
  let tickets: PaidTicket[];
  let foreign: PaidTicket;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let folder: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tixxety-camera-'));
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    organizer = await partyOf(api);
    const buyer = await partyOf(api);
    event = await gate.event(organizer);
    tickets = await gate.tickets(event, 6, buyer);
    for (const [i, { id }] of tickets.entries()) {
      const body = JSON.stringify({ attendee: { name: `Guest ${i} محمد 🎉` } });
      const headers = { 'Content-Type': 'application/json' };
      tickets[i] = (await buyer.client.send('PATCH', `/tickets/${id}`, { body, headers })).body as PaidTicket;
    }
    await organizer.client.post(`/tickets/${ticket(5).id}/void`);
    [foreign] = (await gate.tickets(await gate.event(organizer), 1, buyer)) as [PaidTicket];
    const create = async (name: string) =>
      (await organizer.client.post(`/events/${event.id}/devices`, { name })).body as typeof device;
    [device, other] = [await create('North'), await create('South')];
    const film = join(folder, 'ticket.y4m');
    writeFileSync(film, filmOf(ticket(0).token));
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: [
        ...CHROMIUM_FLAGS,
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-video-capture=${film}`,
      ],
    });
    context = await browser.newContext({ viewport: { width: 420, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await api.stop();
    rmSync(folder, { recursive: true });
  });

  const gate = gateBy(() => api);
  const ticket = (i: number) => tickets[i] as PaidTicket;
  const show = async (name: string) => {
    if (PICTURES) await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  };
  const see = (id: string, text: string | RegExp) =>
    page.locator(`#${id}`).filter({ hasText: text }).waitFor();
  const enter = async (token: string) => {
    await page.getByLabel('Code, by hand').fill(token);
    await page.getByRole('button', { name: 'Check' }).click();
  };
  /** Tickets that were let in, as the organizer sees them. */
  const inside = async () => {
    const { body } = await organizer.client.get(`/events/${event.id}/attendees?checked_in=true`);
    return (body as { ticket_id: number }[]).map(({ ticket_id }) =>
      tickets.findIndex(({ id }) => id === ticket_id),
    );
  };
  const OUTSIDE = '**/events/**';
  /** A page that is loaded anew is online for a moment, whatever the browser was told before. */
  const cutNetwork = async () => {
    await context.setOffline(true);
    await context.route(OUTSIDE, (route) => route.abort('internetdisconnected'));
  };
  const mendNetwork = async () => {
    await context.unroute(OUTSIDE);
    await context.setOffline(false);
  };
  /** Contrast of the text on its ground (WCAG 2, at least 4.5). */
  const contrast = () =>
    page.locator('#result').evaluate((node) => {
      const luminance = (colour: string) => {
        const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
          const value = Number(part) / 255;
          return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const { getComputedStyle } = globalThis as unknown as Browsing;
      const style = getComputedStyle(node);
      const [one, two] = [luminance(style.color), luminance(style.backgroundColor)].sort((a, b) => b - a);
      return ((one ?? 0) + 0.05) / ((two ?? 0) + 0.05);
    });

  it('takes the device from a link, and keeps its token out of the address', async () => {
    await page.goto(`${api.client.url}/gate#${device.token}`);
    await see('title', 'Night of the Analytical Engine');
    await see('network', 'Connected');
    expect(page.url()).toBe(`${api.client.url}/gate`);
    await show('ready');
  });

  it('lets in the ticket that the camera sees, once', async () => {
    await page.getByRole('button', { name: 'Start the camera' }).click();
    await see('verdict', 'Let in');
    await see('person', 'Guest 0 محمد 🎉 · Stalls');
    await show('admitted');
    expect(await page.locator('#sign').textContent()).toBe('✓');
    expect(await contrast()).toBeGreaterThan(4.5);
    expect(await page.locator('#result').getAttribute('aria-live')).toBe('assertive');
    expect(await inside()).toEqual([0]);
    // It is still before the camera.
    const { body } = await organizer.client.get(`/events/${event.id}/check-ins`);
    expect(body).toHaveLength(1);
  });

  it('refuses it when it is shown again, in words and not by a colour alone', async () => {
    await enter(ticket(0).token);
    await see('verdict', 'In already');
    await see('detail', /^Since .+, North\.$/);
    expect(await page.locator('#sign').textContent()).toBe('✕');
    expect(await contrast()).toBeGreaterThan(4.5);
    await show('already-in');
    await enter('https://example.com/');
    await see('verdict', 'Not a ticket');
  });

  it('goes on without a network, also after a reload', async () => {
    await page.evaluate(() =>
      (globalThis as unknown as Browsing).navigator.serviceWorker.ready.then(() => true),
    );
    await cutNetwork();
    await see('network', 'No network');
    await enter(ticket(1).token);
    await see('verdict', 'Let in');
    await see('person', 'Guest 1 محمد 🎉 · Stalls');
    await see('detail', 'Decided without a network.');
    await see('waiting', '1 scan waits to be sent');
    await show('offline');
    await page.reload();
    await see('title', 'Night of the Analytical Engine');
    await see('waiting', '1 scan waits to be sent');
    for (const [token, verdict] of [
      [ticket(1).token, 'In already'],
      [ticket(2).token, 'Let in'],
      [ticket(5).token, 'Void'],
      [foreign.token, 'Another event'],
      [ticket(3).token.replace(/.{6}$/, 'AAAAAA'), 'Not a ticket'],
    ] as const) {
      await enter(token);
      await see('verdict', verdict);
    }
    await see('waiting', '6 scans wait to be sent');
    await page.getByLabel('go out').check();
    await enter(ticket(1).token);
    await see('verdict', 'Gone out');
    await page.getByLabel('come in').check();
    expect(await inside()).toEqual([0]);
  });

  it('sends what waits as soon as there is a network, and tells of contradictions', async () => {
    const south = api.client.as(other.token);
    const scan = { token: ticket(2).token, nonce: 'south-1', kind: 'entry' };
    expect((await south.post(`/events/${event.id}/check-ins`, scan)).body.result).toBe('admitted');
    await mendNetwork();
    await see('waiting', 'No scans wait to be sent');
    await see('network', 'Connected');
    await see('conflicts', '1 late scan contradicts another gate');
    await show('sent');
    expect(await inside()).toEqual([0, 1, 2]);
    const { body } = await organizer.client.get(`/events/${event.id}/check-ins?conflict=true`);
    expect(body.length).toBeGreaterThan(0);
  });

  it('leaves no answer on the screen while it waits for the next', async () => {
    await see('verdict', 'Gone out');
    await context.route('**/check-ins', async (route) => {
      await see('verdict', 'Checking');
      await route.continue();
    });
    await enter(ticket(0).token);
    await see('verdict', 'In already');
    await context.unroute('**/check-ins');
  });

  it('says when the device was revoked', async () => {
    await organizer.client.send('DELETE', `/devices/${device.id}`);
    await enter(ticket(4).token);
    await see('network', 'does not know this device');
    await see('verdict', 'Not checked');
    expect(await page.locator('#sign').textContent()).toBe('✕');
    await show('revoked');
    expect(await inside()).toEqual([0, 1, 2]);
  });

  it('breaks none of its rules', () => {
    // A browser says of itself that it is offline, and what was refused.
    const own = complaints.filter((text) => !/ERR_INTERNET_DISCONNECTED|status of 401/.test(text));
    expect(own).toEqual([]);
  });

  it('is served under strict headers', async () => {
    const answer = await fetch(`${api.client.url}/gate`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|https?:/);
    expect(answer.headers.get('permissions-policy')).toContain('camera=(self)');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is not there where it is switched off', async () => {
    const without = await startTestApi({ GATE_PAGE: 'off' });
    for (const path of ['/gate', '/gate/app.mjs']) {
      expect((await fetch(without.client.url + path)).status).toBe(404);
    }
    await without.stop();
  });
});
