/** A process that answers requests. */
export interface RunningServer {
  /** Where, such as `http://127.0.0.1:8000`. */
  url: string;
  /** An admin that was made for trying the API out; told once. */
  admin?: { ADMIN_EMAIL: string; ADMIN_PASSWORD: string };
  /** Lets the requests under way finish, then closes everything. */
  stop(): Promise<void>;
}
