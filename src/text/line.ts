/** Joiners are needed in words and emoji; so a letter, a mark, a digit or a picture stands beside them. */
const JOINED = String.raw`\p{L}\p{M}\p{N}\p{Extended_Pictographic}\p{Emoji_Modifier}\u200C\u200D`;

/** Format characters that are letters to their scripts: signs of Arabic, Syriac, Kaithi and Mongolian, quadrats, shorthand. */
const OF_A_SCRIPT = String.raw`\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u180E\u{110BD}\u{110CD}\u{13430}-\u{1343F}\u{1BCA0}-\u{1BCA3}`;

/** What a line has none of: control and format characters, ends of lines, noncharacters. */
const NOT_OF_A_LINE = new RegExp(
  [
    String.raw`[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]`,
    String.raw`(?![\u200C\u200D${OF_A_SCRIPT}])\p{Cf}`,
    `(?<![${JOINED}])[\\u200C\\u200D]+(?![${JOINED}])`,
  ].join('|'),
  'u',
);

/** What a text of several lines has none of. */
const NOT_OF_A_TEXT = /(?![\t\n\r])\p{Cc}|[\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** The flags of England, Scotland and Wales, and others to come: a black flag and the name of a region in tags. */
const TAGGED_FLAGS = /\u{1F3F4}[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]+\u{E007F}/gu;

/** Some letters and symbols look like nothing: fillers of Hangul, a braille cell without dots, a note without a head. */
const VISIBLE = /(?![\u2800\u{1D159}\p{Default_Ignorable_Code_Point}])[^\p{C}\p{Z}\p{Mn}\p{Me}]/u;

/** Whether the text is one line, as a name or a title is. */
export const isLine = (text: string) => !NOT_OF_A_LINE.test(text.replaceAll(TAGGED_FLAGS, '\u{1F3F4}'));

/** Whether the text is one that may have several lines. */
export const isText = (text: string) => !NOT_OF_A_TEXT.test(text);

/** Whether there is something to see in the text. */
export const isVisible = (text: string) => VISIBLE.test(text);
