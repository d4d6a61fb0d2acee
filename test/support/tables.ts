/** Rows for `it.each`: a name, a value, and before it the value as a title can show it. */
export const titled = (rows: [name: string, value: unknown][]): [string, string, unknown][] =>
  rows.map(([name, value]) => [name, value === undefined ? 'left out' : brief(JSON.stringify(value)), value]);

function brief(text: string): string {
  const characters = [...text];
  return characters.length <= 60
    ? text
    : `${characters.slice(0, 20).join('')}… (${characters.length} characters)`;
}
