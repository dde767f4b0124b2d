// What the page says, in the language of whoever reads it. The texts are in `texts/LANGUAGE.json`.

import en from './texts/en.json';

type Texts = Record<string, string>;
export type Gaps = Readonly<Record<string, string | number>>;

/** Languages beside English, fetched when they are asked for. */
const OTHERS: Record<string, () => Promise<{ default: Texts }>> = {
    ru: () => import('./texts/ru.json'),
};

let texts: Texts = en;
let plurals = new Intl.PluralRules('en');
export let language = 'en';

/** The first of these languages that there are texts in. */
export function pick(wanted: readonly string[]): string {
    const known = ['en', ...Object.keys(OTHERS)];
    const bases = wanted.map(one => one.toLowerCase().split('-')[0] ?? '');
    return bases.find(one => known.includes(one)) ?? 'en';
}

export async function loadTexts(wanted: readonly string[]): Promise<void> {
    const picked = pick(wanted);
    const load = OTHERS[picked];
    if (load === undefined) return;
    const loaded = await load().catch(() => null);
    if (loaded === null) return;
    [texts, plurals, language] = [{ ...en, ...loaded.default }, new Intl.PluralRules(picked), picked];
}

/** A text with its gaps filled. With a gap `n` the form for that number is taken: `key.one`, `key.other`. */
export function t(key: string, gaps: Gaps = {}): string {
    const form = typeof gaps['n'] === 'number' ? `${key}.${plurals.select(gaps['n'])}` : key;
    return fill(texts[form] ?? texts[`${key}.other`] ?? texts[key] ?? key, gaps);
}

/** Whether there is such a text. */
export function has(key: string): boolean {
    return key in texts;
}

export function fill(text: string, gaps: Gaps): string {
    return text.replace(/\{(\w+)\}/g, (gap, name: string) => (name in gaps ? String(gaps[name]) : gap));
}
