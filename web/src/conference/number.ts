// Telephone numbers as they are typed. Loaded when the first one is: its tables are as large as the rest of the page.

import {
    AsYouType, type CountryCode, getCountries, getCountryCallingCode, parsePhoneNumberFromString, validatePhoneNumberLength,
} from 'libphonenumber-js/min';

export interface Country {
    /** Two letters (ISO 3166). */
    readonly code: string;
    readonly name: string;
    /** Its calling code, with +. */
    readonly prefix: string;
}

/** All countries, by their names in that language. */
export function countries(language: string): Country[] {
    const names = new Intl.DisplayNames([language], { type: 'region' });
    const all = getCountries().map(code => ({ code, name: names.of(code) ?? code, prefix: `+${getCountryCallingCode(code)}` }));
    return all.sort((a, b) => a.name.localeCompare(b.name, language));
}

/** What is wrong with a number so far; `null`: nothing. */
export type Fault = 'empty' | 'characters' | 'short' | 'long' | 'none';

export interface Checked {
    /** As people of the country write it. */
    readonly shown: string;
    /** As it is called (E.164); empty as long as something is wrong with it. */
    readonly e164: string;
    /** The country it turned out to be of. */
    readonly country: string;
    readonly fault: Fault | null;
}

/** What has been typed so far, in a country; a number that begins with + may be of any other. */
export function check(typed: string, country: string): Checked {
    const trimmed = typed.trim();
    const chosen = getCountries().find(code => code === country) ?? ('GB' satisfies CountryCode);
    if (trimmed === '') return { shown: '', e164: '', country: chosen, fault: 'empty' };
    if (!/^\+?[\d\s().\/-]*$/.test(trimmed)) return { shown: typed, e164: '', country: chosen, fault: 'characters' };
    const writer = new AsYouType(chosen);
    const shown = writer.input(trimmed);
    const found = parsePhoneNumberFromString(trimmed, chosen);
    const of = found?.country ?? writer.getCountry() ?? chosen;
    switch (validatePhoneNumberLength(trimmed, chosen)) {
        case 'TOO_SHORT':
        case 'NOT_A_NUMBER': return { shown, e164: '', country: of, fault: 'short' };
        case 'TOO_LONG': return { shown, e164: '', country: of, fault: 'long' };
        case undefined:
            return found?.isValid() ? { shown, e164: found.number, country: of, fault: null } : { shown, e164: '', country: of, fault: 'none' };
        default: return { shown, e164: '', country: of, fault: 'none' };
    }
}

/** The country that a browser's languages speak of, as `GB` of `en-GB`. */
export function countryOf(languages: readonly string[]): string {
    const known: readonly string[] = getCountries();
    const regions = languages.map(one => new Intl.Locale(one).maximize().region ?? '');
    return regions.find(one => known.includes(one)) ?? 'GB';
}
