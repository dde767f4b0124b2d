// What others need to come in, as a text to paste into a calendar.

export interface Access {
    readonly url: string;
    /** The number that telephones call; empty: none is known. */
    readonly number: string;
    readonly pin: string;
}

/** The words of the text; `{number}` and so on are its gaps. */
export interface Words {
    readonly title: string;
    readonly browser: string;
    readonly telephone: string;
    readonly pin: string;
}

/** Several lines, without one that has nothing to say. */
export function calendarText({ url, number, pin }: Access, words: Words): string {
    const lines = [words.title, '', words.browser, url];
    if (number !== '') lines.push('', words.telephone, number);
    if (number !== '' && pin !== '') lines.push(`${words.pin} ${pin}#`);
    return lines.join('\n');
}

/** `n` random digits without a pattern that the gateway takes for weak; `random` gives 0 ≤ x < 1. */
export function makePin(n: number, random: () => number): string {
    for (;;) {
        const digits = Array.from({ length: n }, () => Math.floor(random() * 10));
        const steps = digits.slice(1).map((digit, at) => digit - (digits[at] ?? 0));
        const isEven = new Set(steps).size < 3;
        if (!isEven && new Set(digits).size > Math.min(3, n - 2)) return digits.join('');
    }
}
