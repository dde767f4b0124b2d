// Invitations' URLs: /join/ROOM/TOKEN.

export interface Place {
    readonly room: string;
    readonly token: string;
}

/** What a path names; null: it is no invitation's. */
export function placeOf(path: string): Place | null {
    const found = /^\/join\/([^/]+)\/([A-Za-z0-9_.-]{1,2048})\/?$/.exec(path);
    if (found === null) return null;
    try {
        return { room: decodeURIComponent(found[1] ?? ''), token: found[2] ?? '' };
    } catch {
        return null;
    }
}

export function pathOf({ room, token }: Place): string {
    return `/join/${encodeURIComponent(room)}/${token}`;
}

/** What somebody pasted: an invitation's path, or its whole URL of this origin; null: neither. */
export function pasted(text: string, origin: string): string | null {
    try {
        const url = new URL(text.trim(), origin);
        return url.origin === origin && placeOf(url.pathname) !== null ? url.pathname : null;
    } catch {
        return null;
    }
}

/** A telephone number that is shown to all: its country and its last two digits. */
export function masked(number: string): string {
    if (number.includes('…') || number.length < 6) return number;
    return `${number.slice(0, number.startsWith('+') ? 4 : 3)}…${number.slice(-2)}`;
}
