import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import type { SqlInMemory } from 'typeorm/driver/SqlInMemory.js';

type Query = SqlInMemory['upQueries'][number];

/**
 * Writes `migrations/<timestamp>-<name>.ts`. A developer's tool: it needs prettier, which production does not have.
 *
 * @param name letters, digits, hyphens and underscores, beginning with a letter
 * @returns the path of the file
 */
export async function writeMigration(name: string, up: Query[], down: Query[]): Promise<string> {
  const timestamp = Date.now();
  const path = `migrations/${timestamp}-${name}.ts`;
  const className = `${name.replaceAll(/(?:^|[-_])([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase())}${timestamp}`;
  const source = await format(
    `import type { MigrationInterface, QueryRunner } from 'typeorm';

    export class ${className} implements MigrationInterface {
      async up(queryRunner: QueryRunner): Promise<void> {
        ${up.map(call).join('\n')}
      }

      async down(queryRunner: QueryRunner): Promise<void> {
        ${down.map(call).join('\n')}
      }
    }`,
    { ...(await resolveConfig(path)), filepath: path },
  );
  await writeFile(path, source, { flag: 'wx' });
  return path;
}

function call({ query, parameters }: Query): string {
  const text = query.replaceAll(/[\\`]|\$\{/g, '\\$&');
  return `await queryRunner.query(\`${text}\`${parameters?.length ? `, ${JSON.stringify(parameters)}` : ''});`;
}
