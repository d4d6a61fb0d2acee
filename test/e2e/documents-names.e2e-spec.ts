import { readFileSync } from 'node:fs';
import { startTestApi, type TestApi } from '../support/api';
import { download, warmUpDocuments } from '../support/downloads';
import { eventually } from '../support/eventually';
import { gateBy, type GateEvent, type PaidTicket } from '../support/gate';
import { partyOf, type Party } from '../support/orders';
import { boxesIn, textOf } from '../support/readers';

/** Names as people write them; `isRead`: as one piece and in one direction, so that a reader of PDFs gives it back. */
const NAMES: [script: string, name: string, isRead: boolean][] = [
  ['Latin', 'Žofie O’Brien-Đặng', true],
  ['Greek', 'Ελένη Παπαδοπούλου', true],
  ['Cyrillic', 'Їжак Ґалаґан', true],
  ['simplified Chinese', '张伟 欧阳娜娜', true],
  ['traditional Chinese', '張偉 歐陽娜娜', true],
  ['Japanese', '田中 さくら タロウ', true],
  ['Korean', '김철수 남궁민', true],
  ['Arabic', 'ليلى العامري', false],
  ['Arabic with a mark that has no place', 'ا\u06DAحمد', false],
  ['Hebrew', 'נועה לוי', false],
  ['Thai', 'สมชาย ใจดี', false],
  ['Devanagari', 'अनिल शर्मा', false],
  ['emoji', '🎉 👨‍👩‍👧‍👦 👩🏽‍🚀 🇩🇪 ❤️', false],
  ['several at once', 'Ada 张伟 さくら 김철수 ליאור 🎫', false],
];

describe('names on the PDF of a ticket', () => {
  let api: TestApi;
  let buyer: Party;
  let event: GateEvent;
  let ticket: PaidTicket;

  beforeAll(async () => {
    api = await startTestApi({ MAX_HOLDS_PER_USER_EVENT: '0' });
    const gate = gateBy(() => api);
    buyer = await partyOf(api);
    event = await gate.event(await partyOf(api));
    [ticket] = (await gate.tickets(event, 1, buyer)) as [PaidTicket];
    await warmUpDocuments(api, ticket.id);
  }, 60_000);
  afterAll(() => api.stop());

  async function pdfFor(name: string): Promise<Buffer> {
    const { status } = await buyer.client.send('PATCH', `/tickets/${ticket.id}`, {
      body: JSON.stringify({ attendee: { name } }),
      headers: { 'Content-Type': 'application/json' },
    });
    expect(status).toBe(200);
    return (await download(api, buyer, `/tickets/${ticket.id}.pdf`)).bytes;
  }

  it.each(NAMES)('in %s have no character that is a box', async (_script, name, isRead) => {
    const pdf = await pdfFor(name);
    expect(boxesIn(pdf)).toBe(0);
    if (isRead) expect((await textOf(pdf)).text).toContain(name);
  });

  it('in a thousand rare letters are on the tickets of one order', async () => {
    const file = require.resolve('@fontsource/noto-sans-sc/unicode.json');
    const letters = [...readFileSync(file, 'utf8').matchAll(/U\+([5-9][\da-f]{3})/gi)].map(([, code = '']) =>
      String.fromCodePoint(parseInt(code, 16)),
    );
    expect(letters.length).toBeGreaterThan(3_000);
    // Each name has letters of many files of the font.
    const rare = Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: 100 }, (_, j) => letters[((100 * i + j) * 7_919) % letters.length]).join(''),
    );
    const items = [{ ticket_type_id: event.type, quantity: 10, attendees: rare.map((name) => ({ name })) }];
    const { body: order } = await buyer.client.post('/orders', { event_id: event.id, items });
    expect(order).toHaveProperty('code');
    await buyer.client.post(`/orders/${order.code}/payments`, {});
    // On a machine that is busy, the first try may end with the loading of fonts.
    const pdf = await eventually(async () => {
      const { status, bytes } = await download(api, buyer, `/orders/${order.code}.pdf`);
      expect(status).toBe(200);
      return bytes;
    }, 60_000);
    expect(boxesIn(pdf)).toBe(0);
    const { text } = await textOf(pdf);
    for (const name of rare) expect(text.replaceAll(/\s/g, '')).toContain(name.slice(0, 30));
  }, 90_000);

  it('would be seen to have one', async () => {
    expect(boxesIn(await pdfFor('Amenhotep \u{13000}'))).toBe(1);
  });
});
