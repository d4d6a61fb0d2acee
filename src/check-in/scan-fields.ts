import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { field } from '../http/fields';

const LONGEST_CODE = 1_000;
const NONCE = /^[!-~]{1,64}$/;

/** What a code may show: any text, for a stranger's code is scanned like any other. */
export const isScanCode = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_CODE;

export const isNonce = (value: unknown): value is string => typeof value === 'string' && NONCE.test(value);

/** A text that a camera read, which is only compared. */
export const ScanCode = () =>
  applyDecorators(
    ApiProperty({ type: String, minLength: 1, maxLength: LONGEST_CODE }),
    field('code', `must be text of 1 to ${LONGEST_CODE} characters`, isScanCode),
  );

export const ScanNonce = () =>
  applyDecorators(
    ApiProperty({ type: String, minLength: 1, maxLength: 64, pattern: NONCE.source }),
    field('nonce', 'must be 1 to 64 visible ASCII characters', isNonce),
  );
