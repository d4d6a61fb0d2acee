import { startTestApi, type TestApi } from '../support/api';
import { download, warmUpDocuments } from '../support/downloads';
import { gateBy, type PaidTicket } from '../support/gate';
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
  let ticket: PaidTicket;

  beforeAll(async () => {
    api = await startTestApi();
    const gate = gateBy(() => api);
    buyer = await partyOf(api);
    [ticket] = (await gate.tickets(await gate.event(await partyOf(api)), 1, buyer)) as [PaidTicket];
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

  it('would be seen to have one', async () => {
    expect(boxesIn(await pdfFor('Amenhotep \u{13000}'))).toBe(1);
  });
});
