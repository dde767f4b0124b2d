// What this browser keeps: the person's name for good, a host's token and PINs until the window closes.

const NAME = 'partyline.name';
const TOKEN = 'partyline.token';
const PIN = 'partyline.pin.';

function get(storage: () => Storage, key: string): string {
    try {
        return storage().getItem(key) ?? '';
    } catch {
        return '';
    }
}

function set(storage: () => Storage, key: string, value: string): void {
    try {
        storage().setItem(key, value);
    } catch {
        // Private windows keep nothing.
    }
}

export const keptName = () => get(() => localStorage, NAME);
export const keepName = (name: string) => set(() => localStorage, NAME, name);
export const keptToken = () => get(() => sessionStorage, TOKEN);
export const keepToken = (token: string) => set(() => sessionStorage, TOKEN, token);
export const keptPin = (room: string) => get(() => sessionStorage, PIN + room);
export const keepPin = (room: string, pin: string) => set(() => sessionStorage, PIN + room, pin);
