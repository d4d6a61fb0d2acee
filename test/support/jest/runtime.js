const { createRequire, isBuiltin } = require('node:module');
const { join, sep } = require('node:path');
const { compileFunction } = require('node:vm');
const { default: Runtime } = require('jest-runtime');

const TESTS = join(__dirname, '../..') + sep;
const { getBuiltinModule } = process;
const sourceMaps = new Map();
let application;

/**
 * Loads packages and the application once for all suites of a worker, as a process of the application does; Jest would
 * load them anew for each suite, which takes longer than most suites. Packages are left to Node. Each suite has the files
 * under `test` for itself, and what it spied on is restored at its end. `jest.mock` reaches none of what is shared.
 */
module.exports = class SharingRuntime extends Runtime {
  constructor(...options) {
    super(...options);
    this.options = options;
    process.getBuiltinModule = getBuiltinModule;
    this.transformCache.sourceMaps = sourceMaps;
    // Like the original, but in the global scope of the worker.
    this.executor.compile = (source, filename) =>
      compileFunction(source, this.executor.injectedModuleParameters, { filename });
  }

  requireModuleOrMock(from, name) {
    if (isBuiltin(name)) return super.requireModuleOrMock(from, name);
    if (!/^[./]/.test(name)) return createRequire(from)(name);
    if (isOfSuite(this._resolution.resolveCjs(from, name))) return super.requireModuleOrMock(from, name);
    application ??= new SharingRuntime(...this.options);
    return application.requireModule(from, name);
  }
};

const isOfSuite = (path) => path.startsWith(TESTS) || path.endsWith('.spec.ts');
