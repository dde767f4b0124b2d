// The page's icons: 24 × 24, drawn with the colour of the text.

const PATHS = {
    microphone: 'M12 14a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3Zm5-3a5 5 0 0 1-10 0M12 16v4m-3 0h6',
    muted: 'M9 9v2a3 3 0 0 0 5 2.2M15 10V6a3 3 0 0 0-5.9-.7M7 11a5 5 0 0 0 8 4m2-4a5 5 0 0 1-.3 1.7M12 16v4m-3 0h6M4 3l16 18',
    camera: 'M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1Zm11 4 6-3v8l-6-3',
    'no-camera': 'M15 11V9a2 2 0 0 0-2-2h-3M3 7.5V16a1 1 0 0 0 1 1h9l1-.3M15 11l6-3v8l-3-1.5M4 3l16 18',
    screen: 'M4 5h16v11H4Zm8 14v-3m-4 3h8M12 8v5m-2.5-2.5L12 8l2.5 2.5',
    hand: 'M8 13V6.5a1.5 1.5 0 0 1 3 0V11m0-6.5a1.5 1.5 0 0 1 3 0V11m0-4.5a1.5 1.5 0 0 1 3 0V14a6 6 0 0 1-6 6h-.5a6 6 0 0 1-5-2.7L4 13.5a1.4 1.4 0 0 1 2.3-1.6L8 14',
    chat: 'M4 5h16v11H9l-5 4V5Zm4 4h8m-8 3h5',
    add: 'M6.5 4h3l1.2 4-2 1.4a11 11 0 0 0 5 5l1.4-2 4 1.2v3A1.5 1.5 0 0 1 17.5 18 13.5 13.5 0 0 1 5 5.5 1.5 1.5 0 0 1 6.5 4ZM17 3v6m-3-3h6',
    telephone: 'M6.5 4h3l1.2 4-2 1.4a11 11 0 0 0 5 5l1.4-2 4 1.2v3A1.5 1.5 0 0 1 17.5 18 13.5 13.5 0 0 1 5 5.5 1.5 1.5 0 0 1 6.5 4Z',
    leave: 'M3 14c5-5 13-5 18 0l-2.5 2.5-3.5-1.5v-2.5a9 9 0 0 0-6 0V15l-3.5 1.5L3 14Z',
    invite: 'M10 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 9a7 7 0 0 1 12-4.9M18 14v6m-3-3h6',
    settings: 'M4 7h10m4 0h2M4 17h4m4 0h8M16 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm-6 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
    keypad: 'M6 5h.01M12 5h.01M18 5h.01M6 12h.01M12 12h.01M18 12h.01M6 19h.01M12 19h.01M18 19h.01',
    lock: 'M6 11h12v9H6Zm3 0V8a3 3 0 0 1 6 0v3',
    unlock: 'M6 11h12v9H6Zm3 0V8a3 3 0 0 1 5.8-1',
    remove: 'M10 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 9a7 7 0 0 1 12-4.9M15 17h6',
    close: 'm6 6 12 12M18 6 6 18',
    end: 'M12 3v8m5.5-5a8 8 0 1 1-11 0',
    warning: 'M12 4 2.5 20h19L12 4Zm0 6v4.5m0 2.5v.01',
    sound: 'M4 10v4h3l5 4V6L7 10H4Zm11-1a4 4 0 0 1 0 6m2.5-9a8 8 0 0 1 0 12',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
    return (
        <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d={PATHS[name]} />
        </svg>
    );
}
