// What hosts do: by the API in a room, by messages in a conference that a scenario holds.

import type { Host } from '../gateway/gateway';
import { toConference } from './message';
import type { Peer, Telephone } from './state';

export interface Moderation {
    /** Whether that one can be muted and removed. */
    reaches(one: Peer | Telephone): boolean;
    mute(one: Peer | Telephone, muted: boolean): Promise<void>;
    remove(one: Peer | Telephone): Promise<void>;
    lock(locked: boolean): Promise<void>;
    end(): Promise<void>;
}

/** What a host does in a room. Calls are known after a look at who is there. */
export function byApi(host: Host, room: string): Moderation {
    return {
        reaches: ({ call }) => call !== null,
        mute: async ({ call }, muted) => { if (call !== null) await host.mute(call, muted); },
        remove: async ({ call }) => { if (call !== null) await host.remove(call); },
        lock: locked => host.lock(room, locked),
        end: () => host.end(room),
    };
}

/** What a host does in a scenario's conference, which tells all what has become of it. */
export function byMessages(tell: (message: string) => void): Moderation {
    return {
        reaches: () => true,
        mute: async ({ id }, muted) => tell(toConference.mute(id, muted)),
        remove: async ({ id }) => tell(toConference.remove(id)),
        lock: async locked => tell(toConference.lock(locked)),
        end: async () => tell(toConference.end()),
    };
}
