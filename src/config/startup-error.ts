/** Why a process can't start, as one sentence for the operator that names the setting and the way out. */
export class StartupError extends Error {}
