import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Open disputes are asked about every day, for the event that tells of their end may be lost: those of before, too. */
export class AskAboutDisputes1768700000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`UPDATE payments SET ask_at = now() WHERE dispute = 'open'`);
  }

  async down(): Promise<void> {
    // An older build forgets the time by itself once it has asked.
  }
}
