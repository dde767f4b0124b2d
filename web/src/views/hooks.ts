// How views follow what changes.

import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Store } from '../conference/store';
import type { Conference } from '../conference/state';

/** Draws anew whenever `source` says so. */
export function useListen(source: { listen(listener: () => void): () => void }): void {
    const [, draw] = useReducer((count: number) => count + 1, 0);
    useEffect(() => source.listen(() => draw(undefined as never)), [source]);
}

export function useConference(store: Store): Conference {
    useListen(store);
    return store.state;
}

/** An element's size, as it changes. */
export function useSize<E extends HTMLElement>() {
    const element = useRef<E>(null);
    const [size, setSize] = useState({ width: 0, height: 0 });
    useEffect(() => {
        const { current } = element;
        if (current === null) return;
        const observer = new ResizeObserver(() => setSize({ width: current.clientWidth, height: current.clientHeight }));
        observer.observe(current);
        return () => observer.disconnect();
    }, []);
    return { element, ...size };
}

/** Shows a stream in a video element. */
export function useStream(stream: MediaStream | null) {
    const element = useRef<HTMLVideoElement>(null);
    useEffect(() => {
        const { current } = element;
        if (current === null || current.srcObject === stream) return;
        current.srcObject = stream;
        if (stream !== null) current.play().catch(() => {});
    });
    return element;
}

/** A dialog that is open as long as it is drawn. The focus goes back to where it was before the next frame. */
export function useModal() {
    const element = useRef<HTMLDialogElement>(null);
    useLayoutEffect(() => {
        const { current } = element;
        if (current !== null && !current.open) current.showModal();
    }, []);
    return element;
}
