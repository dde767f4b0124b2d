// The state, and who is told when it changes.

import { type Action, reduce } from './reducer';
import type { Conference } from './state';

export class Store {
    private readonly listeners = new Set<() => void>();

    constructor(private current: Conference) {}

    get state(): Conference {
        return this.current;
    }

    dispatch(action: Action): void {
        const next = reduce(this.current, action);
        if (next === this.current) return;
        this.current = next;
        for (const listener of [...this.listeners]) listener();
    }

    /** Gives what ends it. */
    listen(listener: () => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }
}
