// Reading what comes from outside: nothing is believed to have the shape it should have.

/** What came is not what it should be; `path` names the place. */
export class Misshapen extends Error {
    constructor(readonly path: string, expected: string) {
        super(`${path}: ${expected} expected`);
    }
}

type Reader<T> = (value: unknown, path: string) => T;

export const text = (longest: number): Reader<string> => (value, path) => {
    if (typeof value !== 'string') throw new Misshapen(path, 'a text');
    if (value.length > longest) throw new Misshapen(path, `at most ${longest} characters`);
    return value;
};

export const flag: Reader<boolean> = (value, path) => {
    if (typeof value !== 'boolean') throw new Misshapen(path, 'true or false');
    return value;
};

export const number = (least: number, most: number): Reader<number> => (value, path) => {
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
        throw new Misshapen(path, `a number from ${least} to ${most}`);
    }
    return value;
};

export const list = <T>(reader: Reader<T>, most: number): Reader<T[]> => (value, path) => {
    if (!Array.isArray(value)) throw new Misshapen(path, 'a list');
    if (value.length > most) throw new Misshapen(path, `at most ${most} entries`);
    return value.map((one, at) => reader(one, `${path}[${at}]`));
};

export const oneOf = <T extends string>(...allowed: T[]): Reader<T> => (value, path) => {
    const found = allowed.find(one => one === value);
    if (found === undefined) throw new Misshapen(path, `one of ${allowed.join(', ')}`);
    return found;
};

/** What may be missing, or null. */
export const maybe = <T>(reader: Reader<T>, otherwise: T): Reader<T> => (value, path) =>
    value === undefined || value === null ? otherwise : reader(value, path);

type Fields = Record<string, Reader<unknown>>;
type Read<F extends Fields> = { [K in keyof F]: F[K] extends Reader<infer T> ? T : never };

/** An object that has these fields; others are passed over. */
export const object = <F extends Fields>(fields: F): Reader<Read<F>> => (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Misshapen(path, 'an object');
    const given = value as Record<string, unknown>;
    const read = Object.entries(fields).map(([name, reader]) => {
        const own = Object.hasOwn(given, name) ? given[name] : undefined;
        return [name, reader(own, path === '' ? name : `${path}.${name}`)];
    });
    return Object.fromEntries(read) as Read<F>;
};

/** Text that is JSON of this shape; null where it is anything else. */
export function json<T>(reader: Reader<T>, content: string): T | null {
    try {
        return reader(JSON.parse(content), '');
    } catch {
        return null;
    }
}
