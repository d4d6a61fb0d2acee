import { startTestApi, type TestApi } from '../support/api';
import { createTemplate, type TestDatabase } from '../support/databases';
import { doctorOf } from '../support/doctor';
import { userBody } from '../support/factories';
import { expectProblem } from '../support/problems';
import { searchBy } from '../support/search';
import { REMOVE_EVENTS } from '../support/seats';
import { services } from '../support/services';

/** Of each: how the database is made, and a word that it folds otherwise than we do. */
const LOCALES: [string, string, string][] = [
  ['C', `ENCODING 'UTF8' LOCALE 'C'`, 'МОСКВА'],
  ['Turkish', `ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'`, 'ISPARTA'],
];

describe.each(LOCALES)('a database with the locale %s', (_name, options, odd) => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await createTemplate(services.addresses.server, options);
    api = await startTestApi({ DATABASE_URL: database.url });
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
  });

  const { find, event } = searchBy(() => api);

  it('folds letters in a way of its own', async () => {
    const [{ ours, theirs }] = await database.sql(`SELECT fold_letters($1) AS ours, lower($1) AS theirs`, [
      odd,
    ]);
    expect(ours).toBe(odd.toLowerCase());
    expect(theirs).not.toBe(ours);
  });

  it.each([
    ['ISPARTA', ['isparta', 'Isparta']],
    ['Isparta', ['ISPARTA']],
    ['İzmir', ['IZMIR', 'izmir']],
    ['МОСКВА', ['москва']],
    ['Łódź', ['ŁÓDŹ', 'lodz']],
    ['Σίσυφος', ['ΣΊΣΥΦΟΣ', 'σισυφοσ']],
  ])('has %s found in any case all the same', async (title, queries) => {
    const id = await event({ title });
    for (const q of [title, ...queries]) expect({ q, found: await find({ q }) }).toEqual({ q, found: [id] });
    await api.sql(REMOVE_EVENTS);
  });

  it('has one account for an e-mail in any case', async () => {
    const { email } = userBody();
    const signUp = (address: string) => api.client.as('').post('/users/', { ...userBody(), email: address });
    expect((await signUp(`ISTANBUL.${email}`)).status).toBe(201);
    expectProblem(await signUp(`istanbul.${email}`), 409, 'email_taken');
  });

  it('is found by the doctor, who has nothing against it', async () => {
    const { locale } = await doctorOf(() => database).findings();
    expect(locale).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^(C|tr-TR): e-mails and searches/),
    });
  });

  it('is said by the doctor to miss events where nothing else folds them', async () => {
    await database.sql('ALTER FUNCTION fold_letters RENAME TO fold_letters_by_letters');
    await database.sql('CREATE FUNCTION fold_letters(text) RETURNS text LANGUAGE sql RETURN lower($1)');
    const { locale } = await doctorOf(() => database).findings();
    expect(locale).toMatchObject({ status: 'wrong', message: expect.stringMatching(/miss events$/) });
    await database.sql('DROP FUNCTION fold_letters');
    await database.sql('ALTER FUNCTION fold_letters_by_letters RENAME TO fold_letters');
  });
});
