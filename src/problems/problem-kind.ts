/** What a `code` of the error catalogue stands for. A code never changes its meaning; clients branch on it. */
export interface ProblemKind {
  status: number;
  title: string;
  /** The sentence a person reads. */
  detail: string;
  /** What the developer of a client does about it, for `/docs/errors`; code stands between backticks. */
  advice: string;
}
