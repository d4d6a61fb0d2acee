import { QueryFailedError } from 'typeorm';
import { databaseProblem, isUnavailable } from './database-error';

const errorWith = (code: string) => Object.assign(new Error('no'), { code });

describe('an error of the database', () => {
  it.each([
    ...['08000', '08001', '08003', '08004', '08006', '08P01'],
    ...['25006', '25P03', '25P04'],
    ...['28000', '28P01', '3D000'],
    ...['53000', '53100', '53200', '53300', '53400', '55P03'],
    ...['57000', '57014', '57P01', '57P02', '57P03', '57P04', '57P05', '58000', '58030', '58P01'],
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOENT', 'EACCES', 'EMFILE'],
    ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'],
    ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ])('%s means not now: 503 with Retry-After, for a whole batch at once', (code) => {
    const wrapped = new QueryFailedError('SELECT', [], errorWith(code));
    for (const error of [errorWith(code), wrapped]) {
      expect(isUnavailable(error)).toBe(true);
      expect(databaseProblem(error)).toMatchObject({
        code: 'service_unavailable',
        headers: { 'Retry-After': '1' },
      });
    }
  });

  it.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
    'Cannot use a pool after calling end on the pool',
    'The server does not support SSL connections',
  ])('"%s", as the driver says it, means not now', (message) => {
    expect(isUnavailable(new Error(message))).toBe(true);
  });

  it.each(['40001', '40P01'])('%s is 503 too, but another request of the batch may succeed', (code) => {
    expect(isUnavailable(errorWith(code))).toBe(false);
    expect(databaseProblem(errorWith(code))).toMatchObject({ code: 'service_unavailable' });
  });

  it.each(['42P01', '42601', '23505', '25001', '25P02', '22P02', 'XX000', 'ERR_INVALID_ARG_TYPE'])(
    '%s is a mistake of ours',
    (code) => {
      expect(isUnavailable(errorWith(code))).toBe(false);
      expect(databaseProblem(errorWith(code))).toBeUndefined();
    },
  );
});
