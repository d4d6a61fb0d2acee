/**
 * Unicode's Stream-Safe Text Format (UAX #15, section 13) has at most 30 marks in a row. To put more into order takes time that
 * grows with the square of their number: 128,000 of them stop a process for 18 seconds.
 */
const TOO_MANY_MARKS = /\p{M}{31}/u;

/** Whether the text can be normalized in a time that grows with its length alone. */
export const isStreamSafe = (text: string) => !TOO_MANY_MARKS.test(text);
