const { createRequire, isBuiltin } = require('node:module');
const { default: JestRuntime } = require('jest-runtime');

/** A path, or a package that Jest has to load: TypeORM, because it loads entities, which are TypeScript; what is mocked. */
const THROUGH_JEST = /^[./]|^@jest\/|^(@nestjs\/)?typeorm(\/|$)|^@node-rs\/argon2$/;

/**
 * Loads each spec and the code under test afresh, as ever, but packages once for all specs of a worker, and as Node
 * does. Jest would transform, compile and run Nest and 2,000 other files anew for every spec, which takes a second.
 */
module.exports = class PackagesOnce extends JestRuntime {
  requireModuleOrMock(from, name) {
    return THROUGH_JEST.test(name) || isBuiltin(name)
      ? super.requireModuleOrMock(from, name)
      : createRequire(from)(name);
  }
};
