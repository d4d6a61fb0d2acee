/** A process that answers requests. */
export interface RunningServer {
  /** Where, such as `http://127.0.0.1:8000`. */
  url: string;
  /** An admin that was made for trying the API out, at its first start, and the file that keeps the credentials. */
  admin?: { ADMIN_EMAIL: string; ADMIN_PASSWORD: string; file: string };
  /** Lets the requests under way finish, then closes everything. */
  stop(): Promise<void>;
  /** How many requests wait for their answer; of several API processes, how many processes still run. */
  unfinished(): number;
}

/** The URL of what listens there; the interface of a link-local address stands behind a `%25` (RFC 6874). */
export const urlOf = ({ address, port }: { address: string; port: number }): string =>
  `http://${address.includes(':') ? `[${address.replace('%', '%25')}]` : address}:${port}`;
