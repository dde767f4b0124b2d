// What a conference needs of the browser, so that it can be tested without one.

export interface Clock {
    /** Milliseconds since 1970. */
    now(): number;
    /** Gives what cancels it. */
    after(milliseconds: number, run: () => void): () => void;
}

/** Sound and pictures. Peers are named by their ids. */
export interface Media {
    /** What we send now: the tracks are replaced when devices change. */
    outgoing(audio: boolean, video: boolean): MediaStream;
    /** Plays what the gateway sends. */
    hearGateway(connection: RTCPeerConnection): void;
    /** Shows and plays what comes from a peer. */
    show(id: string, connection: RTCPeerConnection): void;
    unshow(id: string): void;
    playsSound(id: string, plays: boolean): void;
    /** Whether our picture goes to that peer. */
    sendsPicture(id: string, sends: boolean): void;
}
