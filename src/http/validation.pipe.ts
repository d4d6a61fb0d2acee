import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { escapePointer, invalid, Problem, type FieldError } from '../problems/problem';

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
    refuse(untransformable(value, ''));
    const dto = plainToInstance(metatype as new () => object, value);
    refuse(validateSync(dto, VALIDATION).flatMap((error) => fieldErrors(error, '')));
    return dto;
  }
}

/** Far more than any DTO has. */
const MAX_DEPTH = 8;

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

/**
 * What class-transformer and class-validator must not get to see: they overflow the stack on deep nesting, and take a
 * key that every object inherits, such as `constructor` or `__proto__`, for a known field.
 */
function untransformable(value: object, parent: string, depth = 1): FieldError[] {
  if (depth > MAX_DEPTH) return [{ pointer: parent, detail: 'is nested too deeply' }];
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
    const pointer = `${parent}/${escapePointer(key)}`;
    if (key in Object.prototype) return [{ pointer, detail: 'is not a known field' }];
    return child !== null && typeof child === 'object' ? untransformable(child, pointer, depth + 1) : [];
  });
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw new Problem('validation_failed', { errors });
}
