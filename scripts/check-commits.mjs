/*
 * `npm run lint:commits -- [range]` holds the commits of a range, else those since origin/main, against CONTRIBUTING.md:
 * a subject of at most 72 characters in the imperative, a blank line, and a body that says why.
 */
import { spawnSync } from 'node:child_process';

const MAX_SUBJECT = 72;
/** "Added", "Adding", "Adds": a few of each suffice to see the habit; words such as "Embed" and "Process" are fine. */
const NOT_IMPERATIVE =
  /^(add|allow|bump|chang|clean|creat|delet|document|fix|handl|implement|improv|introduc|mak|merg|mov|refactor|remov|renam|replac|show|test|updat|us)(s|es|ed|d|ing)\b/i;

const [range = 'origin/main..HEAD', ...rest] = process.argv.slice(2);
const USAGE = 'Usage: npm run lint:commits -- [range], such as main..HEAD';
if (range === '--help' || range === '-h') {
  console.log(USAGE);
  process.exit();
}
if (rest.length > 0 || range.startsWith('-')) end(USAGE);

const log = spawnSync('git', ['log', '--no-merges', '--format=%h%x00%B%x01', range, '--'], {
  encoding: 'utf8',
});
if (log.status !== 0)
  end(`git does not know the range ${range}; fetch first, or name one: npm run lint:commits -- main..HEAD`);

const commits = log.stdout
  .split('\x01')
  .map((commit) => commit.trim().split('\0'))
  .filter(([hash]) => hash);
const problems = commits.flatMap(([hash, message]) =>
  problemsOf(message).map((problem) => `${hash} ${problem}`),
);
if (problems.length > 0) end(problems.join('\n'));
console.log(`${commits.length} commits of ${range}: their messages are as they should be.`);

function problemsOf(message) {
  const [subject, gap, ...body] = message.trim().split('\n');
  const problems = [];
  if (subject.length > MAX_SUBJECT)
    problems.push(`has a subject of ${subject.length} characters, more than ${MAX_SUBJECT}`);
  if (!/^[A-Z]/.test(subject)) problems.push('has a subject that does not begin with a capital letter');
  if (subject.endsWith('.')) problems.push('has a subject that ends with a full stop');
  if (NOT_IMPERATIVE.test(subject))
    problems.push('has a subject that is no imperative: "Add", not "Added" or "Adds"');
  if (gap !== undefined && gap !== '') problems.push('has no blank line below its subject');
  if (body.join('').trim() === '') problems.push('has no body that says why');
  return problems.map((problem) => `${problem}: ${subject}`);
}

function end(message) {
  console.error(message);
  process.exit(1);
}
