const vm = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');

const ours = new WeakSet();
const { compileFunction } = vm;

// By this, Jest compiles what it loads; it asks for the context of the environment, and can't be told to use none.
vm.compileFunction = (code, parameters, { parsingContext, ...options }) =>
  compileFunction(code, parameters, ours.has(parsingContext) ? options : { ...options, parsingContext });

/**
 * Runs a spec among the globals of Node, not among copies of them: to the packages, which are loaded outside of Jest
 * (see runtime.js), an `Error` or a `Date` of the code under test is what it says it is.
 */
module.exports = class OneRealm extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    ours.add(this.context);
    this.global = globalThis;
    const FakeTimers = this.fakeTimersModern.constructor;
    this.fakeTimersModern = new FakeTimers({ config: config.projectConfig, global: globalThis });
    // Counted afresh for each spec; Jest adds them up.
    delete globalThis.__coverage__;
  }
};
