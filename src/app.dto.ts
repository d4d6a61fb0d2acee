export class WelcomeDto {
  /** @example "Welcome to Tixxety API" */
  message: string;

  /** @example "0.1.0" */
  version: string;

  /**
   * Where Swagger UI is.
   * @example "/docs"
   */
  docs: string;
}
