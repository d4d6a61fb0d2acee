import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { escapePointer, invalid, Problem, type FieldError } from '../problems/problem';
import { MAX_VALUES, moreValuesThan } from './request-body';

/**
 * Turns a body or a query into its DTO, or refuses it with a pointer to each part that does not validate. Nothing
 * is coerced and nothing unknown is let through; a DTO says itself where a query's text becomes a number.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || !metatype) return value;
    if (metatype === Object) {
      // What the route validates by itself.
      if (isDeeper(value, MAX_DEPTH)) throw invalid('', 'is nested too deeply');
      return value;
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw invalid('', 'must be a JSON object');
    }
    refuse(untransformable(value));
    const { metadata, ...fields } = value as { metadata?: unknown };
    const dto = plainToInstance(metatype as new () => object, fields);
    if (metadata !== undefined) Object.assign(dto, { metadata });
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

/** The library looks the rules of a class up anew for each object, which takes longer than to check them. */
function rememberRules(): void {
  const storage = getMetadataStorage();
  const lookUp = storage.getTargetValidationMetadatas.bind(storage);
  const known = new Map<unknown, ReturnType<typeof lookUp>>();
  storage.getTargetValidationMetadatas = (target, schema, always, strictGroups, groups) => {
    // No rule of ours depends on a group.
    let rules = known.get(target);
    if (!rules) known.set(target, (rules = lookUp(target, schema, always, strictGroups, groups)));
    return rules;
  };
}

rememberRules();

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
 * What class-transformer and class-validator must not get to see: they overflow the stack on deep nesting, take a
 * hundred times as long for many values as parsing does, and take a key that every object inherits, such as
 * `constructor` or `__proto__`, for a known field. (Names in `metadata` are the client's own, and no library gets to see
 * them.) The walk ends where there is enough to refuse.
 */
function untransformable(body: object): FieldError[] {
  const errors: FieldError[] = [];
  let values = 0;
  /** @returns whether to go on */
  const walk = (value: object, parent: string, depth: number): boolean => {
    if (depth > MAX_DEPTH) {
      errors.push({ pointer: parent, detail: 'is nested too deeply' });
      return false;
    }
    for (const key of Object.keys(value)) {
      if (++values > MAX_VALUES) {
        errors.push({ pointer: '', detail: moreValuesThan(MAX_VALUES) });
        return false;
      }
      const pointer = `${parent}/${escapePointer(key)}`;
      const child: unknown = value[key as keyof typeof value];
      if (key in Object.prototype && parent !== '/metadata')
        errors.push({ pointer, detail: 'is not a known field' });
      else if (child !== null && typeof child === 'object' && !walk(child, pointer, depth + 1)) return false;
    }
    return true;
  };
  walk(body, '', 1);
  return errors;
}

/** Whether a value is nested deeper than so many levels; looks no further. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((child) => isDeeper(child, levels - 1));
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw new Problem('validation_failed', { errors });
}
