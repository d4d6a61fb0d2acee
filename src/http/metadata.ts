import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { isLine, isVisible } from '../text/line';
import { field } from './fields';

/** The client's own references, by name. */
export type Metadata = Record<string, string>;

/** What a change does to metadata: null takes a name away, and what is not named stays. */
export type MetadataChanges = Record<string, string | null>;

export const MAX_METADATA = 20;
const MAX_NAME = 40;
const MAX_VALUE = 500;

const MESSAGE =
  `must be an object of at most ${MAX_METADATA} lines of text: names of 1 to ${MAX_NAME} characters, ` +
  `values of at most ${MAX_VALUE}`;

/** An object of a few strings, which the API keeps and does not read. */
export const IsMetadata = () =>
  applyDecorators(
    ApiProperty(schemaOf(false)),
    field('metadata', MESSAGE, (value) => isMetadata(value, isValue)),
  );

/** Some of them anew; one that is null is taken away. */
export const IsMetadataChanges = () =>
  applyDecorators(
    ApiProperty(schemaOf(true)),
    field('metadata', MESSAGE, (value) => isMetadata(value, (each) => each === null || isValue(each))),
  );

/** @returns undefined where it would be too many */
export function mergeMetadata(metadata: Metadata, changes: MetadataChanges | null): Metadata | undefined {
  if (changes === null) return {};
  const merged = Object.entries({ ...metadata, ...changes }).filter(([, value]) => value !== null);
  return merged.length > MAX_METADATA ? undefined : (Object.fromEntries(merged) as Metadata);
}

const schemaOf = (isNullable: boolean) =>
  ({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: MAX_VALUE, ...(isNullable && { nullable: true }) },
    maxProperties: MAX_METADATA,
  }) as const;

function isMetadata(value: unknown, isSound: (value: unknown) => boolean): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_METADATA &&
    entries.every(([name, each]) => isText(name, MAX_NAME) && isVisible(name) && isSound(each))
  );
}

const isValue = (value: unknown) => typeof value === 'string' && isText(value, MAX_VALUE);

/** In code points; so many UTF-16 units may be twice as many. */
const isText = (text: string, most: number) =>
  text.length <= 2 * most && [...text].length <= most && isLine(text);
