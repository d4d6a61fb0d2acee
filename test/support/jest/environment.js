const { TestEnvironment } = require('jest-environment-node');

/** Runs suites in the global scope of the worker itself: the scope of a `vm` context makes each use of a global slow. */
module.exports = class SharedScope extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global = globalThis;
    this.moduleMocker = new this.moduleMocker.constructor(globalThis);
    this.fakeTimersModern = new this.fakeTimersModern.constructor({
      config: config.projectConfig,
      global: globalThis,
    });
    this.own = { console, exit: process.exit };
  }

  /** Jest puts its own in place of these. */
  async teardown() {
    await super.teardown();
    globalThis.console = this.own.console;
    process.exit = this.own.exit;
  }
};
