// When a lost connection is tried again.

const DELAYS = [0, 500, 1000, 2000, 3000];
/** After so many tries in vain the person is asked. */
export const TRIES = 40;

/** Milliseconds before the try of that number, from 0; null: no more. */
export function delay(tries: number): number | null {
    return tries >= TRIES ? null : (DELAYS[tries] ?? 3000);
}
