import fc from 'fast-check';
import { startTestApi, type TestApi } from '../support/api';
import { ascending, searchBy } from '../support/search';
import { REMOVE_EVENTS } from '../support/seats';

describe('GET /events/ with filters', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const { find, event } = searchBy(() => api);

  describe('q', () => {
    afterEach(() => api.sql(REMOVE_EVENTS));

    it('finds the events that have all of the words, in title, address or description', async () => {
      const both = await event({ title: 'Jazz on the river' });
      const spread = await event({ title: 'Jazz', venue: { address: '1 River Walk' } });
      const told = await event({ title: 'Night', description: 'Jazz, down by the river.' });
      await event({ title: 'River' });
      await event({ title: 'Jazz' });
      expect(ascending(await find({ q: 'river jazz' }))).toEqual([both, spread, told]);
      expect(await find({ q: 'river jazz piano' })).toEqual([]);
    });

    it('takes the last word for the beginning of one, and no other', async () => {
      const rocket = await event({ title: 'Rocket science' });
      const rock = await event({ title: 'Rock science' });
      expect(ascending(await find({ q: 'roc' }))).toEqual([rocket, rock]);
      expect(ascending(await find({ q: 'science rock' }))).toEqual([rocket, rock]);
      expect(await find({ q: 'rock science' })).toEqual([rock]);
      expect(await find({ q: 'ocket' })).toEqual([]);
    });

    it.each([
      ['Événement à Łódź', ['evenement a lodz', 'ÉVÉNEMENT', 'łódź', 'LODZ', 'e\u0301ve\u0301nement']],
      ['Evenement a Lodz', ['événement à łódź', 'Éve', 'ŁÓDŹ']],
      ['Straße', ['strasse', 'STRASSE', 'straße']],
      ['МОСКВА ночью', ['москва', 'Москва НОЧЬ']],
      ['ΜΟΥΣΙΚΉ', ['μουσική', 'μουσική']],
      ['Σίσυφος', ['ΣΊΣΥΦΟΣ', 'ΣΙΣ', 'σισυφοσ']],
      ['İzmir ISPARTA', ['IZMIR', 'izmir', 'ısparta', 'Isparta']],
      ['שלום עולם', ['עולם', 'שלום עו']],
      ['مرحبا بالعالم', ['مرحبا', 'بال']],
      ['東京ジャズ', ['東京', '東京ジャズ']],
      ['Cafe\u0301 Müller', ['café', 'cafe MULLER']],
    ])('finds %s whatever the accents and the case', async (title, queries) => {
      const id = await event({ title });
      for (const q of queries) expect({ q, found: await find({ q }) }).toEqual({ q, found: [id] });
    });

    it.each([
      'AC/DC',
      'blink-182',
      'S.T.A.R.S.',
      'R&B (all night)',
      '10,000 Maniacs',
      '24.12.2030: Sat/Sun',
      'O’Brien’s “Best of…” — live',
      "It's 5 o'clock, don't stop!",
      'rock🎸roll ❤️',
      'mail bob@example.com, visit https://example.com/tickets?x=1#now',
      '<b>bold</b> &amp; C:\\temp\\*.txt',
      '-5°C | !important :* (x)',
    ])('finds %s as it is written', async (title) => {
      const id = await event({ title });
      await event({ title: 'something else' });
      expect(await find({ q: title })).toEqual([id]);
      for (const word of title.match(/[\p{L}\p{N}]+/gu) ?? []) expect(await find({ q: word })).toContain(id);
    });

    it('finds words whether they were composed or decomposed, on either side', async () => {
      const found = await event({ title: '서울'.normalize('NFD') });
      for (const form of ['NFC', 'NFD']) expect(await find({ q: '서울'.normalize(form) })).toEqual([found]);
    });

    it('finds any title as it is written', async () => {
      const character = fc.constantFrom(
        ...'abcXYZ019éÜłßжЯσאب東ァ ,.-/\\&@:\'"!?()<>|*_#%+=~’“”–…·«»¿€→★、。🎸🎉',
      );
      const titles = fc
        .sample(fc.string({ unit: character, minLength: 2, maxLength: 20 }), 80)
        .filter((title) => /[\p{L}\p{N}]/u.test(title));
      for (const title of titles) {
        const id = await event({ title });
        expect({ title, found: await find({ q: title, limit: 200 }) }).toEqual({
          title,
          found: expect.arrayContaining([id]),
        });
      }
    });

    it.each(['...', '🎸', '❤️', '!', "'", '\\', ':*', '& | !', '()', '-', '״', '…—«»'])(
      'finds nothing by %s, which has no word in it',
      async (q) => {
        await event({ title: q });
        expect(await find({ q })).toEqual([]);
      },
    );

    it('puts a word in the title before one in the address, and that before one in the description', async () => {
      const description = await event({ title: 'One', description: 'a tango' });
      const address = await event({ title: 'Two', venue: { address: 'Tango Hall' } });
      const title = await event({ title: 'Tango' });
      const everywhere = await event({ title: 'Tango', description: 'tango', venue: { address: 'Tango' } });
      expect(await find({ q: 'tango' })).toEqual([everywhere, title, address, description]);
      expect(await find({ q: 'tango', sort: 'relevance' })).toEqual([
        everywhere,
        title,
        address,
        description,
      ]);
      expect(await find({ q: 'tango', sort: 'start_time' })).toEqual([
        description,
        address,
        title,
        everywhere,
      ]);
    });

    it('follows an event that is changed', async () => {
      const id = await event({ title: 'Before' });
      await api.sql(`UPDATE events SET title = 'After' WHERE id = $1`, [id]);
      expect(await find({ q: 'before' })).toEqual([]);
      expect(await find({ q: 'after' })).toEqual([id]);
    });
  });
});
