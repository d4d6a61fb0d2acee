/* The page at the gate: scans, asks the server or decides by itself, and sends later what could not be sent. */
import * as camera from './camera.mjs';
import { allowSound, show, showChecking } from './result.mjs';
import { checkIn, deviceOf, download, Revoked, sendPending, Unreachable } from './server.mjs';
import * as store from './store.mjs';
import { decide, remember } from './verdict.mjs';

const element = (id) => document.getElementById(id);
const SYNC_EVERY_MS = 10_000;
const ATTENDEES_EVERY_MS = 10 * 60_000;
/** A ticket that stays before the camera is one scan. */
const SAME_WITHIN_MS = 3_000;
const SLOW_MS = 300;

/** Other codes are not worth a question. */
const LIKE_A_TOKEN = /^[\w.-]{1,600}$/;

let device;
let gate;
let isOnline = false;
let attendeesAt = 0;
const lastSeen = new Map();

/** Where a server that does not answer is asked again. */
function setOnline(value) {
  isOnline = value;
  element('network').textContent = value ? 'Connected' : 'No network';
  element('network').className = value ? '' : 'offline';
}

async function showWaiting() {
  const waiting = await store.count('pending');
  element('waiting').textContent =
    waiting === 0
      ? 'No scans wait to be sent'
      : `${waiting} ${waiting === 1 ? 'scan waits' : 'scans wait'} to be sent`;
  element('waiting').className = waiting === 0 ? '' : 'some';
}

async function showConflicts(more = 0) {
  const conflicts = ((await store.get('settings', 'conflicts')) ?? 0) + more;
  if (more > 0) await store.setSetting('conflicts', conflicts);
  element('conflicts').textContent =
    conflicts === 0
      ? ''
      : `${conflicts} late ${conflicts === 1 ? 'scan contradicts' : 'scans contradict'} another gate: the organizer sees them.`;
}

function explain(error) {
  if (error instanceof Revoked) {
    setOnline(false);
    element('network').textContent = 'The server does not know this device any more';
  } else if (error instanceof Unreachable) setOnline(false);
  else element('network').textContent = error.message;
}

/** Sends what waits, then fetches what changed. Over a bad line that takes long: who asks meanwhile gets the same. */
let syncing;
const sync = () => (syncing ??= syncOnce().finally(() => (syncing = undefined)));

async function syncOnce() {
  if (!device) return;
  try {
    await showConflicts(await sendPending(device));
    const withAttendees = Date.now() - attendeesAt > ATTENDEES_EVERY_MS;
    gate = await download(device, withAttendees);
    if (withAttendees) attendeesAt = Date.now();
    element('title').textContent = gate.event.title;
    setOnline(true);
  } catch (error) {
    explain(error);
  }
  await showWaiting();
}

/** The time first, so that scans are sent in their order. */
const newNonce = () => `${Date.now().toString(36).padStart(9, '0')}-${crypto.randomUUID()}`;

async function scan(token) {
  if (!LIKE_A_TOKEN.test(token)) {
    show({ result: 'not_valid' }, false);
    return;
  }
  const scanned = { token, nonce: newNonce(), kind: kind(), scanned_at: new Date().toISOString() };
  // What waits goes first, else the server would hear of a ticket's exit before its entry.
  if (isOnline && (await store.count('pending')) === 0) {
    try {
      const outcome = await checkIn(device, scanned);
      await remember(outcome, scanned.scanned_at);
      show(outcome, false);
      return;
    } catch (error) {
      explain(error);
      if (error instanceof Revoked) {
        show({ result: 'not_checked' }, false);
        return;
      }
    }
  }
  if (!gate) {
    show({ result: 'not_checked' }, false);
    element('network').textContent =
      'Nothing was downloaded yet: connect this device once before you go on without a network.';
    return;
  }
  const outcome = await decide(token, scanned.kind, gate);
  // Kept before it is shown: whoever is let in is counted, whatever happens to this device's battery.
  await store.put('pending', scanned);
  await remember(outcome, scanned.scanned_at);
  show(outcome, true);
  await showWaiting();
  if (isOnline) void sync();
}

const kind = () => document.querySelector('input[name=kind]:checked').value;

/** One after the other, so that two scans of one ticket never miss each other. */
let scanning = Promise.resolve();

function enqueue(token) {
  scanning = scanning.then(() => scanPatiently(token));
}

async function scanPatiently(token) {
  const slow = setTimeout(showChecking, SLOW_MS);
  try {
    await scan(token);
  } catch (error) {
    explain(error);
    show({ result: 'not_checked' }, false);
  } finally {
    clearTimeout(slow);
  }
}

/** Told again and again while a ticket is before the camera. */
function found(text) {
  const token = text.trim();
  const key = `${kind()} ${token}`;
  const before = lastSeen.get(key) ?? 0;
  if (lastSeen.size > 1_000) lastSeen.clear();
  lastSeen.set(key, Date.now());
  if (Date.now() - before >= SAME_WITHIN_MS) enqueue(token);
}

async function use(chosen) {
  device = chosen;
  element('setup').hidden = chosen !== undefined;
  element('scanner').hidden = chosen === undefined;
  if (!chosen) return;
  gate = await store.get('settings', 'gate');
  if (gate) element('title').textContent = gate.event.title;
  await sync();
}

/** By a link, whose fragment no server sees, or from the last time. */
async function begin() {
  const linked = deviceOf(decodeURIComponent(location.hash.slice(1)));
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  const kept = await store.get('settings', 'device');
  if (linked && linked.token !== kept?.token) await take(linked, kept);
  else await use(kept);
}

/** Scans of the device before are of another event: they would be lost. */
async function take(chosen, before) {
  if (before && (await store.count('pending')) > 0) {
    element('camera-problem').textContent = 'Scans of another device wait here to be sent: connect it first.';
    await use(before);
    return;
  }
  await store.clear();
  await store.setSetting('device', chosen);
  attendeesAt = 0;
  await use(chosen);
}

element('setup').addEventListener('submit', (event) => {
  event.preventDefault();
  const chosen = deviceOf(element('device').value);
  element('setup-problem').textContent = chosen
    ? ''
    : 'This is not the token of a device: it begins with gate_.';
  if (chosen) void take(chosen);
});
element('manual').addEventListener('submit', (event) => {
  event.preventDefault();
  allowSound();
  enqueue(element('code').value.trim());
  element('code').value = '';
});
element('start').addEventListener('click', () => {
  allowSound();
  camera.start(element('camera'), found).then(
    () => (element('start').hidden = true),
    (error) => (element('camera-problem').textContent = `The camera can't be used: ${error.message}`),
  );
  navigator.wakeLock?.request('screen').catch(() => undefined);
});
element('forget').addEventListener('click', async () => {
  const waiting = await store.count('pending');
  if (waiting > 0 && !confirm(`${waiting} scans were not sent yet and would be lost.`)) return;
  await store.clear();
  location.reload();
});
addEventListener('online', () => void sync());
addEventListener('offline', () => setOnline(false));
setInterval(() => void sync(), SYNC_EVERY_MS);

// The only script that this page may ever name by an address.
const scripts = globalThis.trustedTypes?.createPolicy('gate', {
  createScriptURL: () => '/gate/service-worker.js',
});
navigator.serviceWorker?.register(scripts ? scripts.createScriptURL('') : '/gate/service-worker.js', {
  scope: '/gate',
});

await begin();
