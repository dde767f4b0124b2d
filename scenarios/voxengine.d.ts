// What scenarios of Partyline are written against: docs/scenarios.md tells it in words. In an editor, or
//   tsc --noEmit --allowJs --checkJs --strict false scenarios/voxengine.d.ts scenarios/MyScenario.js

type Headers = { [name: string]: string };

/** A value of `Language` or of `VoiceList`. */
type Voice = string;

interface VoiceOptions {
  language?: Voice;
  voice?: Voice;
  progressivePlayback?: boolean;
  [other: string]: unknown;
}

interface PlaybackOptions {
  loop?: boolean;
  progressivePlayback?: boolean;
}

// Events

declare enum AppEvents {
  Started = "Application.Started",
  CallAlerting = "Application.CallAlerting",
  Terminating = "Application.Terminating",
  Terminated = "Application.Terminated",
  HttpRequest = "Application.HttpRequest",
  WebSocket = "Application.WebSocket",
}

declare enum CallEvents {
  Connected = "Call.Connected",
  Disconnected = "Call.Disconnected",
  Failed = "Call.Failed",
  Ringing = "Call.Ringing",
  AudioStarted = "Call.AudioStarted",
  FirstAudioPacketReceived = "Call.FirstAudioPacketReceived",
  MessageReceived = "Call.MessageReceived",
  InfoReceived = "Call.InfoReceived",
  ToneReceived = "Call.ToneReceived",
  PlaybackStarted = "Call.PlaybackStarted",
  PlaybackReady = "Call.PlaybackReady",
  PlaybackFinished = "Call.PlaybackFinished",
  RecordStarted = "Call.RecordStarted",
  RecordStopped = "Call.RecordStopped",
  OnHold = "Call.OnHold",
  OffHold = "Call.OffHold",
  TransferComplete = "Call.TransferComplete",
  TransferFailed = "Call.TransferFailed",
  RtpStopped = "Call.RtpStopped",
  DisturbanceBegan = "Call.DisturbanceBegan",
  DisturbanceEnded = "Call.DisturbanceEnded",
}

declare enum ConferenceEvents {
  Started = "Conference.Started",
  Stopped = "Conference.Stopped",
  ConferenceError = "Conference.ConferenceError",
  EndpointAdded = "Conference.EndpointAdded",
  EndpointUpdated = "Conference.EndpointUpdated",
  EndpointRemoved = "Conference.EndpointRemoved",
}

declare enum PlayerEvents {
  Created = "Player.Created",
  Started = "Player.Started",
  Stopped = "Player.Stopped",
  PlaybackReady = "Player.PlaybackReady",
  PlaybackFinished = "Player.PlaybackFinished",
  PlaybackMarkerReached = "Player.PlaybackMarkerReached",
  Error = "Player.Error",
}

declare enum RecorderEvents {
  Started = "Recorder.Started",
  Stopped = "Recorder.Stopped",
  RecorderError = "Recorder.RecorderError",
}

declare enum WebSocketEvents {
  OPEN = "WebSocket.OPEN",
  CLOSE = "WebSocket.CLOSE",
  ERROR = "WebSocket.ERROR",
  MESSAGE = "WebSocket.MESSAGE",
  MEDIA_STARTED = "WebSocket.MEDIA_STARTED",
  MEDIA_ENDED = "WebSocket.MEDIA_ENDED",
}

declare enum WebSocketAudioEncoding {
  PCM16_8KHZ = "PCM8",
  PCM16_16KHZ = "PCM16",
  ULAW = "ULAW",
  ALAW = "ALAW",
}

declare enum WebSocketReadyState {
  CONNECTING = "CONNECTING",
  OPEN = "OPEN",
  CLOSING = "CLOSING",
  CLOSED = "CLOSED",
}

interface StartedEvent {
  name: string;
  sessionId: string;
  accountId: number;
  applicationId: number;
  userId: number;
  logURL: string;
  accessURL: string;
  accessSecureURL: string;
}

interface AlertingEvent {
  name: string;
  call: Call;
  id: string;
  callerid: string;
  displayName: string;
  destination: string;
  headers: Headers;
  customData: string;
  fromURI: string;
  toURI: string;
  scheme: object;
}

interface CallEvent {
  name: string;
  call: Call;
  id: string;
}

/** What each event of a call bears beside the call. */
interface CallEventFields {
  [CallEvents.Connected]: { headers: Headers; customData: string };
  [CallEvents.Disconnected]: { reason: string; duration: number; cost: number; headers: Headers; internalCode: number };
  [CallEvents.Failed]: { code: number; reason: string; headers: Headers };
  [CallEvents.Ringing]: { headers: Headers };
  [CallEvents.MessageReceived]: { text: string };
  [CallEvents.InfoReceived]: { mimeType: string; body: string; headers: Headers };
  [CallEvents.ToneReceived]: { tone: string };
  [CallEvents.PlaybackStarted]: { duration: number };
  [CallEvents.PlaybackFinished]: { error?: string };
  [CallEvents.RecordStarted]: { url: string };
  [CallEvents.RecordStopped]: { url: string; duration: number; cost: number; error?: string };
  [CallEvents.TransferComplete]: { role: "transferor" };
  [CallEvents.TransferFailed]: { code: number; reason: string; role: "transferor" };
  [CallEvents.DisturbanceBegan]: { disturbance: "echo" | "noise" | "music" };
  [CallEvents.DisturbanceEnded]: { disturbance: "echo" | "noise" | "music" };
}

type CallEventOf<E> = CallEvent & (E extends keyof CallEventFields ? CallEventFields[E] : {});

interface ConferenceEvent { name: string; conference: Conference; endpoint?: Endpoint; error?: string }
/** `duration` and `offset` are milliseconds. */
interface PlayerEvent { name: string; player: Player; error?: string; duration?: number; offset?: number }

// What a session has

interface SendMediaParameters {
  encoding?: WebSocketAudioEncoding;
  tag?: string;
  customParameters?: object;
}

interface MediaUnit {
  id(): string;
  sendMediaTo(target: Call | Conference, parameters?: SendMediaParameters): void;
  stopMediaTo(target: Call | Conference, parameters?: SendMediaParameters): void;
}

/** What can send its sound to a WebSocket as well. */
interface TalkingUnit extends MediaUnit {
  sendMediaTo(target: Call | Conference | WebSocket | Recorder, parameters?: SendMediaParameters): void;
  stopMediaTo(target: Call | Conference | WebSocket | Recorder, parameters?: SendMediaParameters): void;
}

interface Call extends TalkingUnit {
  addEventListener<E extends CallEvents>(event: E, callback: (event: CallEventOf<E>) => unknown): void;
  removeEventListener(event: CallEvents, callback?: Function): void;
  number(): string;
  callerid(): string;
  displayName(): string;
  headers(): Headers;
  incoming(): boolean;
  customData(data?: string): string;
  state(): "ALERTING" | "CONNECTING" | "PROGRESSING" | "CONNECTED" | "DISCONNECTED" | "FAILED";
  answer(): void;
  answerDirect(peer: Call): void;
  ring(): void;
  startEarlyMedia(): void;
  reject(code?: number): void;
  decline(code?: number): void;
  hangup(): void;
  startPlayback(url: string, options?: boolean | PlaybackOptions): void;
  stopPlayback(): void;
  say(text: string, voice?: Voice | VoiceOptions): void;
  handleTones(on: boolean): void;
  sendDigits(digits: string): void;
  sendMessage(text: string): void;
  sendInfo(mimeType: string, body: string, headers?: Headers): void;
  record(options?: { stereo?: boolean }): void;
  hold(): void;
  unhold(): void;
  transferTo(target: Call | string): void;
}

interface Conference extends TalkingUnit {
  addEventListener(event: ConferenceEvents, callback: (event: ConferenceEvent) => unknown): void;
  removeEventListener(event: ConferenceEvents, callback?: Function): void;
  add(endpoint: {
    call: Call;
    mode?: "MIX" | "FORWARD";
    direction?: "SEND" | "RECEIVE" | "BOTH";
    displayName?: string;
    scheme?: unknown;
  }): Endpoint;
  get(id: string): Endpoint | null;
  getList(): Endpoint[];
  record(options?: { hd_audio?: boolean }): Recorder;
  stop(): void;
}

interface Endpoint {
  id(): string;
  call(): Call;
  mode(): string;
  direction(): string;
  displayName(): string;
  setDisplayName(name: string): void;
  remove(): void;
}

interface Player extends MediaUnit {
  addEventListener(event: PlayerEvents, callback: (event: PlayerEvent) => unknown): void;
  removeEventListener(event: PlayerEvents, callback?: Function): void;
  pause(): void;
  resume(): void;
  /** Milliseconds from the beginning, or, below 0, before the end. */
  addMarker(offset: number): void;
  removeMarker(offset: number): void;
  stop(): void;
}

interface RecorderEvent {
  name: string;
  recorder: Recorder;
  url?: string;
  duration?: number;
  cost?: number;
  error?: string;
}

interface Recorder {
  addEventListener(event: RecorderEvents, callback: (event: RecorderEvent) => unknown): void;
  removeEventListener(event: RecorderEvents, callback?: Function): void;
  id(): string;
  stop(): void;
  mute(on: boolean): void;
}

/** What each event of a WebSocket bears beside the socket. */
interface WebSocketEventFields {
  [WebSocketEvents.MESSAGE]: { text: string; data: string };
  [WebSocketEvents.CLOSE]: { code: number; reason: string; wasClean: boolean };
  [WebSocketEvents.ERROR]: { reason: string };
  [WebSocketEvents.MEDIA_STARTED]: { tag?: string; encoding: string; customParameters?: any };
  [WebSocketEvents.MEDIA_ENDED]: { tag?: string; mediaInfo: { duration: number } };
}

type WebSocketEventOf<E> = { name: string; websocket: WebSocket } &
  (E extends keyof WebSocketEventFields ? WebSocketEventFields[E] : {});

interface WebSocket extends MediaUnit {
  addEventListener<E extends WebSocketEvents>(event: E, callback: (event: WebSocketEventOf<E>) => unknown): void;
  removeEventListener(event: WebSocketEvents, callback?: Function): void;
  readonly url: string;
  readonly readyState: WebSocketReadyState;
  onopen: ((event: WebSocketEventOf<WebSocketEvents.OPEN>) => unknown) | null;
  onmessage: ((event: WebSocketEventOf<WebSocketEvents.MESSAGE>) => unknown) | null;
  onclose: ((event: WebSocketEventOf<WebSocketEvents.CLOSE>) => unknown) | null;
  onerror: ((event: WebSocketEventOf<WebSocketEvents.ERROR>) => unknown) | null;
  onmediastarted: ((event: WebSocketEventOf<WebSocketEvents.MEDIA_STARTED>) => unknown) | null;
  onmediaended: ((event: WebSocketEventOf<WebSocketEvents.MEDIA_ENDED>) => unknown) | null;
  send(data: string): void;
  close(): void;
  clearMediaBuffer(parameters?: { tag?: string }): void;
}

interface WebSocketParameters {
  protocols?: string | string[];
  headers?: Array<{ name: string; value: string }>;
}

interface CallOptions {
  callerid?: string;
  displayName?: string;
  extraHeaders?: Headers;
  headers?: Headers;
}

interface SequencePlayerOptions {
  segments: Array<
    | { ttsPlayer: { text: string; parameters?: VoiceOptions } }
    | { urlPlayer: { url: string; parameters?: unknown } }
    | { toneScriptPlayer: { script: string; parameters?: unknown } }
  >;
}

declare namespace VoxEngine {
  function addEventListener(event: AppEvents.Started, callback: (event: StartedEvent) => unknown): void;
  function addEventListener(event: AppEvents.CallAlerting, callback: (event: AlertingEvent) => unknown): void;
  function addEventListener(
    event: AppEvents.WebSocket,
    callback: (event: { name: string; websocket: WebSocket }) => unknown,
  ): void;
  /** What the listener returns is the answer's body. */
  function addEventListener(
    event: AppEvents.HttpRequest,
    callback: (event: { name: string; method: string; path: string; content: string }) => unknown,
  ): void;
  function addEventListener(event: AppEvents, callback: (event: { name: string }) => unknown): void;
  function removeEventListener(event: AppEvents, callback?: Function): void;
  function customData(data?: string): string;
  function terminate(): void;

  function createWebSocket(url: string, parameters?: string | string[] | WebSocketParameters): WebSocket;
  function allowWebSocketConnections(): void;
  function createRecorder(options?: { hd_audio?: boolean }): Recorder;
  function createConference(options?: object): Conference;
  function createURLPlayer(url: string | { url: string }, options?: boolean | PlaybackOptions): Player;
  function createTTSPlayer(text: string, voice?: Voice | VoiceOptions): Player;
  /** Tones: `350@-13,440@-13;10(5/0/1+2)`, as docs/scenarios.md has them. */
  function createToneScriptPlayer(script: string, options?: boolean | PlaybackOptions): Player;
  function createSequencePlayer(options: SequencePlayerOptions): Player;

  /** A `Call`; `any`, since scripts written before declarations may use one variable for this and others. */
  function callPSTN(number: string, callerid?: string | CallOptions, options?: CallOptions): any;
  function callUser(options: CallOptions & { username: string }): Call;
  function callUser(username: string, callerid?: string, displayName?: string, headers?: Headers): Call;
  function callSIP(uri: string, options?: CallOptions): Call;
  function callSIP(
    uri: string, callerid?: string, displayName?: string, password?: "", authUser?: "", headers?: Headers,
  ): Call;
  function callConference(options: CallOptions & { conferenceId: string }): Call;
  function callConference(conferenceId: string, callerid?: string, displayName?: string, headers?: Headers): Call;
  function callUserDirect(incoming: Call, options: CallOptions & { username: string }): Call;
  function callUserDirect(
    incoming: Call, username: string, callerid?: string, displayName?: string, headers?: Headers,
  ): Call;

  function sendMediaBetween(one: Call | Conference | WebSocket, other: Call | Conference | WebSocket): void;
  function stopMediaBetween(one: Call | Conference | WebSocket, other: Call | Conference | WebSocket): void;

  function forwardCallToUser(callback?: (caller: Call, callee: Call) => unknown): void;
  function forwardCallToUserDirect(callback?: (caller: Call, callee: Call) => unknown): void;
  function forwardCallToPSTN(number?: (called: string) => string, callerid?: (caller: string) => string): void;
  function forwardCallToSIP(callback?: (caller: Call, callee: Call) => unknown): void;
  function easyProcess(caller: Call, callee: Call, onEstablished?: (a: Call, b: Call) => unknown, direct?: boolean): void;
  function playSoundAndHangup(url: string): void;
}

// Storage

interface StorageKey { key: string; value: string; /** Seconds since 1970. */ expireAt: number }

/** Short texts that outlive the session; all scenarios share them. */
declare namespace ApplicationStorage {
  function put(key: string, value: string, ttl: number): Promise<StorageKey>;
  function get(key: string): Promise<StorageKey | null>;
  function remove(key: string): Promise<StorageKey | null>;
  function keys(pattern?: string): Promise<{ keys: string[] }>;
}

// Modules, voices

declare enum Modules {
  Conference = "conference",
  Player = "player",
  Recorder = "recorder",
  ApplicationStorage = "applicationstorage",
  WebSocket = "websocket",
  Crypto = "crypto",
}

declare function require(module: Modules): void;
declare const Language: { [voice: string]: Voice };
declare const VoiceList: { [provider: string]: any };

// The rest

declare namespace Logger {
  function write(value: unknown): void;
}

type Octets = string | number[] | Uint8Array;

declare namespace CryptoEngine {
  function md5(data: Octets): string;
  function sha1(data: Octets): string;
  function sha256(data: Octets): string;
  function hmac_sha1(key: Octets, data: Octets): string;
  function hmac_sha256(key: Octets, data: Octets): string;
}

interface HttpRequestOptions {
  method?: string;
  headers?: Headers | string[];
  postData?: Octets;
  /** Seconds in all, at most and by default 90. */
  timeout?: number;
  /** Seconds until the connection is there, at most and by default 6. */
  connectionTimeout?: number;
}

interface HttpRequestResult {
  /** The HTTP status; below 100 there is no answer. */
  code: number;
  text: string;
  data: number[];
  headers: Headers[];
  raw_headers: string;
  error?: string;
}

declare namespace Net {
  function httpRequest(url: string, callback: (result: HttpRequestResult) => unknown, options?: HttpRequestOptions): void;
  function httpRequestAsync(url: string, options?: HttpRequestOptions): Promise<HttpRequestResult>;
}

declare function setTimeout(callback: (...args: any[]) => unknown, milliseconds?: number, ...args: any[]): number;
declare function setInterval(callback: (...args: any[]) => unknown, milliseconds: number, ...args: any[]): number;
declare function clearTimeout(timer: number): void;
declare function clearInterval(timer: number): void;
declare function base64_encode(data: Octets): string;
declare function base64_decode(data: string): string;
declare function str2bytes(data: string, encoding?: string): number[];
declare function bytes2str(data: Octets, encoding?: string): string;
declare function hex2bytes(data: string): number[];
declare function bytes2hex(data: Octets, upper?: boolean): string;
declare function uuidgen(): string;
/** The date whose UTC parts show the time at an offset: "+02:00", "UTC", or minutes. */
declare function getLocalTime(offset?: string | number): Date;
