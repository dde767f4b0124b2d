// Texts with markup (SSML), of which the words alone are said.

return {
  without: (words) => (/^\s*<speak[\s>]/.test(words) ? words.replace(/<[^>]*>/g, " ") : words),
};
