/* Loaded into a process before its own code: upon SIGUSR2 nothing else happens in it for BLOCK_MS. */
process.on('SIGUSR2', () => {
  const end = Date.now() + Number(process.env.BLOCK_MS);
  while (Date.now() < end);
});
