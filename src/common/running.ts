/** A process that answers requests. */
export interface Running {
  /** Where, such as `http://127.0.0.1:8000`. */
  url: string;
  /** Lets the requests under way finish, then closes everything. */
  stop(): Promise<void>;
}
