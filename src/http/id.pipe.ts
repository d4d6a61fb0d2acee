import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { MAX_ID } from './fields';
import { invalid } from '../problems/problem';

/** The id in a path: a positive integer without sign, fraction or leading zero. */
@Injectable()
export class IdPipe implements PipeTransform<string, number> {
  transform(text: string, { data = '' }: ArgumentMetadata): number {
    return idOf(data, text);
  }
}

/**
 * The id that a path parameter spells.
 *
 * @throws {Problem} `validation_failed` with a pointer to the parameter
 */
export function idOf(parameter: string, text: string): number {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  if (!(id <= MAX_ID)) throw invalid(`/${parameter}`, `must be an integer from 1 to ${MAX_ID}`);
  return id;
}
