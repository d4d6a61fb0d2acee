import { STATUS_CODES } from 'node:http';
import { styleText } from 'node:util';

const WIDTH = 100;
const INDENT = '     ';

/** Colours text where a person sees it. */
export const paint = (style: 'bold' | 'cyan' | 'dim' | 'green' | 'yellow', text: string) =>
  process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;

/** @param name whose access token goes with it */
export const requestLine = (method: string, path: string, body?: object, name?: string) =>
  `   → ${paint('cyan', `${method} ${path}`)}${name ? paint('dim', ` as ${name}`) : ''}${body ? `\n${json(body)}` : ''}`;

export const answerLine = (status: number, body: Record<string, unknown>) => {
  const { access_token } = body;
  const shown =
    typeof access_token === 'string' ? { ...body, access_token: `${access_token.slice(0, 16)}...` } : body;
  return `   ← ${paint(status < 400 ? 'green' : 'yellow', `${status} ${STATUS_CODES[status]}`)}\n${json(shown)}`;
};

/** JSON in lines that are filled to the width, so that an answer takes a few of them. */
function json(value: object): string {
  const lines = [''];
  for (const part of JSON.stringify(value, null, 1).split('\n')) {
    const line = `${lines.at(-1)} ${part.trim()}`.trim();
    if (line.length <= WIDTH) lines[lines.length - 1] = line;
    else lines.push(part.trim());
  }
  return lines.map((line) => INDENT + line).join('\n');
}
