/** Rows for `it.each`: a name, a value, and before it the value as a title can show it. */
export const titled = <Value>(rows: [name: string, value: Value][]): [string, string, Value][] =>
  rows.map(([name, value]) => [name, brief(value), value]);

function brief(value: unknown): string {
  const characters = [...(JSON.stringify(value) ?? 'left out')];
  return characters.length <= 60
    ? characters.join('')
    : `${characters.slice(0, 20).join('')}… (${characters.length} characters)`;
}
