import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Text in NFC, as it is written and searched for now. (Some letters are longer in it.) */
export class ComposeText1764400100000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      UPDATE users SET
        name = left(normalize(name, NFC), 100),
        location_address = left(normalize(location_address, NFC), 255)
      WHERE name IS NOT NFC NORMALIZED OR location_address IS NOT NFC NORMALIZED
    `);
    await queryRunner.query(`
      UPDATE events SET
        title = left(normalize(title, NFC), 200),
        description = normalize(description, NFC),
        venue_address = left(normalize(venue_address, NFC), 255)
      WHERE title IS NOT NFC NORMALIZED OR description IS NOT NFC NORMALIZED OR venue_address IS NOT NFC NORMALIZED
    `);
  }

  async down(): Promise<void> {
    // How it was decomposed is not known any more, and makes no difference to the build before.
  }
}
