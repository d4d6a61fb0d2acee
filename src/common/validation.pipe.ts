import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { invalid, Problem, type FieldError } from './problem';

/**
 * Turns a body or a query into its DTO, or refuses it with a pointer to each part that does not validate. Nothing
 * is coerced and nothing unknown is let through; a DTO says itself where a query's text becomes a number.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || !metatype || metatype === Object) return value;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw invalid('', 'must be a JSON object');
    }
    const dto = plainToInstance(metatype as new () => object, value);
    const errors = [
      ...prototypeKeys(value as Record<string, unknown>, ''),
      ...validateSync(dto, VALIDATION).flatMap((error) => fieldErrors(error, '')),
    ];
    if (errors.length > 0) throw new Problem('validation_failed', errors);
    return dto;
  }
}

const VALIDATION = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  validationError: { target: false, value: false },
} as const;

function fieldErrors(
  { property, constraints = {}, children = [] }: ValidationError,
  parent: string,
): FieldError[] {
  const pointer = `${parent}/${escapePointer(property)}`;
  const own = constraints.whitelistValidation
    ? ['is not a known field']
    : Object.values(constraints).slice(0, 1);
  return [
    ...own.map((detail) => ({ pointer, detail })),
    ...children.flatMap((child) => fieldErrors(child, pointer)),
  ];
}

/** class-transformer drops a key named `__proto__` in silence, where every other unknown one is refused. */
function prototypeKeys(value: Record<string, unknown>, parent: string): FieldError[] {
  return Object.keys(value).flatMap((key) => {
    const pointer = `${parent}/${escapePointer(key)}`;
    if (key === '__proto__') return [{ pointer, detail: 'is not a known field' }];
    const child = value[key];
    return child !== null && typeof child === 'object'
      ? prototypeKeys(child as Record<string, unknown>, pointer)
      : [];
  });
}

const escapePointer = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');
