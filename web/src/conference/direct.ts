// Who calls whom directly, and whose picture is shown.

import type { Peer } from './state';

/** Peers that are shown with a picture as long as there are no more. */
export const PICTURES = 10;
/** Beyond, the pictures of so many. */
export const PICTURES_OF_MANY = 4;

/** Whether we call that peer, or are called by it: the same answer at both ends, so that nobody is called twice. */
export function callsFirst(me: string, peer: string): boolean {
    return me < peer;
}

/** Whose picture is wanted: everybody's, and where they are too many that of those who share, and who spoke last. */
export function wanted(peers: readonly Peer[], spoke: readonly string[]): ReadonlySet<string> {
    const rank = ({ id, sharing }: Peer) => (sharing ? -1 : spoke.includes(id) ? spoke.indexOf(id) : spoke.length);
    const seen = [...peers].sort((a, b) => rank(a) - rank(b));
    return new Set(seen.slice(0, peers.length > PICTURES ? PICTURES_OF_MANY : peers.length).map(({ id }) => id));
}
