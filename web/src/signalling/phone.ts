// What the page asks of SIP. One interface: `jssip.ts` has it over WebSocket, tests have one of their own.

/** What comes from a call. */
export interface CallEvents {
    /** The peer connection is made: tracks can be looked for. */
    connection?(connection: RTCPeerConnection): void;
    ringing?(): void;
    answered?(): void;
    /** A message within the call, by INFO or MESSAGE. */
    message?(text: string): void;
    /** It is over; `status` is the final status of its INVITE where it was never answered, else 0. */
    over?(status: number, cause: string, byUs: boolean): void;
}

export interface Call {
    readonly isOver: boolean;
    /** It was answered, and is not over: something can be said in it. */
    readonly isEstablished: boolean;
    connection(): RTCPeerConnection | null;
    /** Says something within the call. */
    inform(text: string): void;
    /** The same by MESSAGE, as scenarios expect it. */
    message(text: string): void;
    hangUp(): void;
}

/** A call that comes in. */
export interface Incoming {
    /** The user's name. */
    readonly from: string;
    readonly name: string;
    /** The caller gave up: it can be neither answered nor refused. */
    readonly isOver: boolean;
    answer(stream: MediaStream, events: CallEvents): Call;
    refuse(): void;
}

export interface PhoneEvents {
    registered(): void;
    /** The connection to the gateway is lost; nothing else comes after it. */
    lost(): void;
    /** The gateway does not know us, or not any more. */
    refused(status: number): void;
    incoming(call: Incoming): void;
    /** A message outside of calls. */
    message(text: string, from: string): void;
}

export interface Phone {
    /** Sends what the stream has, and with `video` takes pictures. */
    call(target: string, stream: MediaStream, video: boolean, events: CallEvents, headers?: Record<string, string>): Call;
    /** Ends everything; politely where there is somebody to tell. */
    stop(): void;
}

/** Who we are, and where. */
export interface Account {
    readonly uri: string;
    readonly user: string;
    readonly password: string;
    readonly name: string;
    readonly websocket: string;
    readonly iceServers: RTCIceServer[];
}

export type StartPhone = (account: Account, events: PhoneEvents) => Phone;
