/* What the device keeps, in IndexedDB: it outlives reloads, and needs no network. */
const NAME = 'tixxety-gate';
/** Each with what its rows are found by; null: a key beside the row. */
const STORES = {
  settings: null,
  void: 'ticket_id',
  reissued: 'ticket_id',
  attendees: 'ticket_id',
  inside: 'ticket_id',
  pending: 'nonce',
};

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) {
        request.result.createObjectStore(name, keyPath ? { keyPath } : undefined);
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

const storeOf = async (name, mode) => (await open()).transaction(name, mode).objectStore(name);

export const get = async (name, key) => done((await storeOf(name, 'readonly')).get(key));
export const count = async (name) => done((await storeOf(name, 'readonly')).count());
export const first = async (name, limit) => done((await storeOf(name, 'readonly')).getAll(undefined, limit));
export const setSetting = async (key, value) =>
  done((await storeOf('settings', 'readwrite')).put(value, key));
export const put = (name, row) => change({ [name]: { put: [row] } });

/**
 * Puts and deletes rows of several stores, all or none.
 *
 * @param changes by store: `{ put: rows, delete: keys, clear: true }`; of `settings`, `put` has `[key, value]`
 */
export async function change(changes) {
  const names = Object.keys(changes);
  const transaction = (await open()).transaction(names, 'readwrite', { durability: 'strict' });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  for (const name of names) {
    const store = transaction.objectStore(name);
    if (changes[name].clear) store.clear();
    for (const key of changes[name].delete ?? []) store.delete(key);
    for (const row of changes[name].put ?? [])
      name === 'settings' ? store.put(row[1], row[0]) : store.put(row);
  }
  await ended;
}

/** Forgets everything. */
export const clear = () =>
  change(Object.fromEntries(Object.keys(STORES).map((name) => [name, { clear: true }])));
