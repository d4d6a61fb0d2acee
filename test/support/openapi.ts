type Node = Record<string, any>;

/** The document with its shared responses, examples, headers and parameters in their places; schemas stay shared. */
export function withoutShared<Document extends object>(document: Document): Document {
  const resolve = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(resolve);
    if (node === null || typeof node !== 'object') return node;
    const { $ref } = node as Node;
    const [, kind, name] =
      /^#\/components\/(responses|examples|headers|parameters)\/(\w+)$/.exec($ref as string) ?? [];
    if (kind === undefined || name === undefined) {
      return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolve(value)]));
    }
    const shared = (document as Node).components[kind]?.[name] as unknown;
    if (shared === undefined) throw new Error(`${$ref} leads nowhere`);
    return resolve(shared);
  };
  return resolve(document) as Document;
}
