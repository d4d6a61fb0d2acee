import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cleanup } from '../../support/cleanup';

const run = promisify(execFile);

/** Of which a fresh cluster takes 60 MB, and a minute of load not much more. */
const SIZE_MB = 400;
const BALLAST = 'ballast';

/** Whether this process may mount a disk: tried in a mount namespace of its own, since root may not be enough. */
export function canMount(): boolean {
  const trial = ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'];
  return process.getuid?.() === 0 && spawnSync('unshare', trial, { stdio: 'ignore' }).status === 0;
}

/** A file system that is soon full, in memory. Only root may make one. */
export async function mountSmallDisk(folder: string, cleanup: Cleanup): Promise<string> {
  await mkdir(folder);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MB}m,mode=755`, 'tmpfs', folder]);
  cleanup.add(() => unmount(folder));
  await chmod(folder, 0o755);
  return folder;
}

/** A process that has just been killed may keep it busy for a moment. */
async function unmount(folder: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await run('umount', [folder]);
      return;
    } catch (error) {
      if (tries === 20) throw error;
      await sleep(100);
    }
  }
}

/** Takes all the room that is left. */
export async function fillUp(disk: string): Promise<void> {
  const chunk = Buffer.alloc(1024 * 1024);
  for (let size = chunk.length; size >= 1_024;) {
    await writeFile(join(disk, BALLAST), chunk.subarray(0, size), { flag: 'a' }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      size /= 2;
    });
  }
}

export async function makeRoom(disk: string): Promise<void> {
  await rm(join(disk, BALLAST), { force: true });
}
