// Who talks, of those whose levels are known. A short noise is nobody's turn, and a pause between words ends none.

/** Quieter is silence, -40 dBov. Levels are root mean squares, as RTP tells them (RFC 6464, RFC 6465). */
const SILENCE = 0.01;
/** By so much somebody must be louder to be listened to beside whoever has the turn. */
const LOUDER = 1.4;
/** For how long somebody must be heard to begin where nobody talks, and to take over, milliseconds. */
const BEGINS = 300;
const TAKES_OVER = 500;
/** Whoever has the turn keeps it for so long after the last word. */
const KEEPS = 1_800;
/** Of a pause so much counts against whoever is about to take over: words have gaps. */
const GAP = 0.5;
/** No two looks are further apart, as far as it counts: pages in the background look seldom. */
const LOOK = 300;
/** How many that spoke are remembered. */
const REMEMBERED = 16;

export interface Speakers {
    readonly current: string | null;
    /** When the current one was last heard. */
    readonly heardAt: number;
    /** For how long others were louder than whoever has the turn, less the gaps. */
    readonly bids: ReadonlyMap<string, number>;
    /** When this was looked at. */
    readonly at: number;
    /** Who spoke, the last one first. */
    readonly spoke: readonly string[];
}

export const silence: Speakers = { current: null, heardAt: 0, bids: new Map(), at: 0, spoke: [] };

/** What the levels of this moment (0 to 1) make of it. */
export function listen(was: Speakers, levels: ReadonlyMap<string, number>, now: number): Speakers {
    const own = was.current === null ? 0 : (levels.get(was.current) ?? 0);
    const heardAt = own >= SILENCE ? now : was.heardAt;
    const current = was.current !== null && now - heardAt < KEEPS ? was.current : null;
    const louder = loudest(levels, current, own);
    const bids = bid(was, louder, now);
    const takes = current === null ? BEGINS : TAKES_OVER;
    if (louder === null || (bids.get(louder) ?? 0) < takes) return { ...was, current, heardAt, bids, at: now };
    const spoke = [louder, ...was.spoke.filter(id => id !== louder)].slice(0, REMEMBERED);
    return { current: louder, heardAt: now, bids: new Map(), at: now, spoke };
}

/** The loudest of the others, if they are louder than whoever has the turn. */
function loudest(levels: ReadonlyMap<string, number>, current: string | null, own: number): string | null {
    let found: string | null = null;
    let least = Math.max(SILENCE, own >= SILENCE ? own * LOUDER : 0);
    for (const [id, level] of levels) {
        if (id !== current && level >= least) [found, least] = [id, level];
    }
    return found;
}

/** Whoever is louder bids for longer; of the others a bid runs out. When the first one began is half known. */
function bid(was: Speakers, louder: string | null, now: number): ReadonlyMap<string, number> {
    const passed = Math.min(Math.max(0, now - was.at), LOOK);
    const bids = new Map<string, number>();
    for (const [id, lasted] of was.bids) {
        if (id !== louder && lasted > passed * GAP) bids.set(id, lasted - passed * GAP);
    }
    if (louder !== null) {
        const lasted = was.bids.get(louder);
        bids.set(louder, lasted === undefined ? passed / 2 : lasted + passed);
    }
    return bids;
}
