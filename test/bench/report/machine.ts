import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import type { DatabaseServer } from '../harness/database';

/** What a reader must know to compare. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGb: number;
  node: string;
  postgres: string;
  sharedBuffers: string;
}

export function describeMachine({ settings }: DatabaseServer): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.versions.node,
    postgres: settings.server_version,
    sharedBuffers: settings.shared_buffers,
  };
}

export const sentenceOn = ({ processor, cores, memoryGb, node, postgres, sharedBuffers }: Machine) =>
  `${processor}, ${cores} cores shared by API, database and load, ${memoryGb} GB; Node ${node}, PostgreSQL ` +
  `${postgres} (fsync on, shared_buffers ${sharedBuffers})`;

/** The commit that was measured; with `+` when the folder held changes beside. */
export function describeCommit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src', 'migrations') ? '+' : '')
    );
  } catch {
    return 'unknown';
  }
}
