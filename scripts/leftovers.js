// Loaded into each process of the test runner. A test file that leaves a server, a timer or a child behind would
// never end: its process fails instead, naming what was left.
const GRACE_MS = 5000;

// Processes that a test forks inherit this import; only the test file itself may have a test hook.
if (/\.(test|soak)\.[jt]s$/.test(process.argv[1] ?? '')) {
  const { after } = await import('node:test');
  after(() => {
    setTimeout(() => {
      process.stderr.write(
        `Still open ${GRACE_MS} ms after the last test: ${process.getActiveResourcesInfo().join(', ')}\n`,
      );
      process.exit(1);
    }, GRACE_MS).unref();
  });
}
