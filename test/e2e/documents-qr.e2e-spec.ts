import { create } from 'qrcode';
import { chromium, type Browser, type Page } from 'playwright-core';
import { startTestApi, type TestApi } from '../support/api';
import { CHROMIUM_FLAGS, chromiumPath } from '../support/chromium';
import { download, warmUpDocuments } from '../support/downloads';
import { gateBy, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { codesIn, pagesOf } from '../support/readers';

/** How a code meets a reader: on a small screen, out of focus, askew. */
const CONDITIONS = {
  'as it is': '',
  'scaled to 150 px': 'width: 150px',
  'scaled and rotated': 'width: 180px; transform: rotate(12deg)',
  blurred: 'width: 400px; filter: blur(1.5px)',
  'blurred and rotated': 'width: 300px; filter: blur(1px); transform: rotate(33deg)',
  'upside down': 'width: 300px; transform: rotate(180deg)',
};

(chromiumPath ? describe : describe.skip)('the QR code of a ticket', () => {
  let api: TestApi;
  let browser: Browser;
  let page: Page;
  let ticket: PaidTicket;
  const pictures: Record<string, string> = {};

  beforeAll(async () => {
    api = await startTestApi();
    const gate = gateBy(() => api);
    const buyer: Party = await partyOf(api);
    [ticket] = (await gate.tickets(await gate.event(await partyOf(api)), 1, buyer)) as [PaidTicket];
    await warmUpDocuments(api, ticket.id);
    const get = async (document: string) =>
      (await download(api, buyer, `/tickets/${ticket.id}${document}`)).bytes;
    const [paper] = await pagesOf(await get('.pdf'), 150);
    const png = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`;
    pictures.png = png(await get('/qr.png'));
    pictures.svg = `data:image/svg+xml;base64,${(await get('/qr.svg')).toString('base64')}`;
    pictures.pdf = png(paper as Buffer);
    browser = await chromium.launch({ executablePath: chromiumPath, args: CHROMIUM_FLAGS });
    page = await browser.newPage({ viewport: { width: 1_400, height: 1_900 } });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await api.stop();
  });

  /** The picture as a browser shows it. */
  async function shown(picture: string, style: string): Promise<Buffer> {
    await page.setContent(
      `<body style="margin: 90px; background: white"><img src="${picture}" style="${style}"></body>`,
    );
    return await page.screenshot();
  }

  it.each(['png', 'svg'])('is read from the %s by a reader that nobody here wrote', async (kind) => {
    for (const [condition, style] of Object.entries(CONDITIONS)) {
      // By itself an SVG is as small as its modules.
      const size = kind === 'svg' && style === '' ? 'width: 500px' : style;
      expect([condition, await codesIn(await shown(pictures[kind] as string, size))]).toEqual([
        condition,
        [ticket.token],
      ]);
    }
  });

  it.each([
    '',
    'width: 406px', // of which its code has 150
    'width: 500px',
    'filter: blur(1.5px)',
    'width: 800px; filter: blur(1px); transform: rotate(33deg)',
    'width: 490px; transform: rotate(12deg)',
  ])('is read from the PDF (%s)', async (style) => {
    expect(await codesIn(await shown(pictures.pdf as string, style))).toEqual([ticket.token]);
  });

  it('is small: on 3 cm of a screen a module has half a millimetre', () => {
    const { version, modules } = create([{ data: Buffer.from(ticket.token), mode: 'byte' }]);
    expect({ version, modules: modules.size }).toEqual({ version: 9, modules: 53 });
  });
});
