/* Shows, sounds and shakes what became of a scan. Nothing is told by a colour alone. */
const element = (id) => document.getElementById(id);

/** What each result says to the person at the gate. */
const WORDS = {
  admitted: 'Let in',
  left: 'Gone out',
  already_in: 'In already',
  void: 'Void',
  blocked: 'Blocked',
  not_paid: 'Not paid',
  wrong_event: 'Another event',
  not_valid: 'Not a ticket',
  not_checked: 'Not checked',
};
const DETAILS = {
  void: 'Given back, handed on or cancelled: ask for the newest code.',
  blocked: 'Its payment is disputed.',
  not_paid: 'The order has not been paid.',
  not_valid: 'The code was not made by this server.',
  not_checked: 'See above why, and scan it again.',
};

let audio;

/** Browsers let a page sound only after somebody has touched it. */
export function allowSound() {
  audio ??= new AudioContext();
  void audio.resume();
}

function beep(frequency, from, length) {
  if (audio?.state !== 'running') return;
  const [oscillator, gain] = [audio.createOscillator(), audio.createGain()];
  oscillator.frequency.value = frequency;
  gain.gain.value = 0.25;
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(audio.currentTime + from);
  oscillator.stop(audio.currentTime + from + length);
}

/** While an answer is waited for, the last one must not be taken for it. */
export function showChecking() {
  element('result').className = 'idle';
  element('sign').textContent = '…';
  element('verdict').textContent = 'Checking';
  element('person').textContent = '';
  element('detail').textContent = '';
}

/** @param isLocal whether the device decided by itself */
export function show({ result, ticket, earlier }, isLocal) {
  const isGood = result === 'admitted' || result === 'left';
  element('result').className = isGood ? 'good' : 'bad';
  element('sign').textContent = isGood ? '✓' : '✕';
  element('verdict').textContent = WORDS[result] ?? result;
  element('person').textContent = [ticket?.attendee?.name, ticket?.ticket_type].filter(Boolean).join(' · ');
  const since =
    earlier &&
    `Since ${new Date(earlier.scanned_at).toLocaleTimeString()}${earlier.device ? `, ${earlier.device.name}` : ''}.`;
  element('detail').textContent = [since ?? DETAILS[result], isLocal && 'Decided without a network.']
    .filter(Boolean)
    .join(' ');
  if (isGood) {
    beep(1_200, 0, 0.15);
    navigator.vibrate?.(80);
  } else {
    beep(220, 0, 0.2);
    beep(220, 0.3, 0.3);
    navigator.vibrate?.([150, 80, 150]);
  }
}
