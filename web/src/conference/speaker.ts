// Who talks, of those whose levels are known.

/** Quieter is silence: what Web Audio and RTP call 1 is the loudest. */
const SILENCE = 0.02;
/** For how long the loudest must be so to take over, and keeps it after having spoken, milliseconds. */
const TAKES = 300;
const KEEPS = 1500;
/** How many that spoke are remembered. */
const REMEMBERED = 16;

export interface Speakers {
    readonly current: string | null;
    /** When the current one was last heard. */
    readonly heardAt: number;
    /** Who is louder, and since when. */
    readonly next: string | null;
    readonly since: number;
    /** Who spoke, the last one first. */
    readonly spoke: readonly string[];
}

export const silence: Speakers = { current: null, heardAt: 0, next: null, since: 0, spoke: [] };

/** What the levels of this moment (0 to 1) make of it. */
export function listen(was: Speakers, levels: ReadonlyMap<string, number>, now: number): Speakers {
    let loudest: string | null = null;
    for (const [id, level] of levels) {
        if (level >= SILENCE && (loudest === null || level > (levels.get(loudest) ?? 0))) loudest = id;
    }
    const isHeard = was.current !== null && (levels.get(was.current) ?? 0) >= SILENCE;
    const heardAt = isHeard ? now : was.heardAt;
    const isOver = was.current === null || now - heardAt >= KEEPS;
    if (loudest === null || loudest === was.current) {
        return { ...was, current: isOver && !isHeard ? null : was.current, heardAt, next: null };
    }
    const since = was.next === loudest ? was.since : now;
    if (!isOver && now - since < TAKES) return { ...was, heardAt, next: loudest, since };
    const spoke = [loudest, ...was.spoke.filter(id => id !== loudest)].slice(0, REMEMBERED);
    return { current: loudest, heardAt: now, next: null, since: now, spoke };
}
