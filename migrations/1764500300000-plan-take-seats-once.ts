import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PlanTakeSeatsOnce1764500300000 implements MigrationInterface {
  // Left to itself, PostgreSQL plans the UPDATE anew for each call's number of events: a tenth of what a small batch takes.
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER FUNCTION take_seats SET plan_cache_mode = force_generic_plan');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER FUNCTION take_seats RESET plan_cache_mode');
  }
}
