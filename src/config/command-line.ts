import { parseArgs, type ParseArgsConfig } from 'node:util';
import { StartupError } from './startup-error';

type OptionTypes = NonNullable<ParseArgsConfig['options']>;

/**
 * Reads the command line of a program.
 *
 * @param takesWords whether it takes more than options
 * @throws {StartupError} for what the program does not know, and for a second value of an option
 */
export function readArguments<Options extends OptionTypes>(
  options: Options,
  takesWords = false,
  argv = process.argv.slice(2),
) {
  try {
    const parsed = parseArgs({
      args: withNumbers(argv),
      options,
      allowPositionals: takesWords,
      tokens: true,
    });
    const names = parsed.tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    const twice = names.find((name, i) => names.indexOf(name) < i && isSingle(options[name]));
    if (twice !== undefined) throw new Error(`Option '--${twice}' is given twice`);
    return parsed;
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/\.?\s*\n|\.\s/, 1);
    throw new StartupError(`${sentence.replace('argument is ambiguous', 'lacks its value')}. See --help.`);
  }
}

const isSingle = (option: OptionTypes[string] | undefined) => option?.type === 'string' && !option.multiple;

/** A number below zero looks like options of a letter each. As the value it is meant to be, it meets the check for values. */
function withNumbers(argv: string[]): string[] {
  return argv.reduce<string[]>((args, arg) => {
    const last = args.at(-1);
    const isValue = /^-\.?\d/.test(arg) && last !== undefined && /^--[^=]+$/.test(last);
    return isValue ? [...args.slice(0, -1), `${last}=${arg}`] : [...args, arg];
  }, []);
}
