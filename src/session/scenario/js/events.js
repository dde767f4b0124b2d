// The names of further events, and what WebSockets are told by.

const { watch, extend } = part("base");
const { events } = part("names");

extend(globalThis, {
  ConferenceEvents: events(
    "ConferenceEvents", "Conference", "Started Stopped ConferenceError EndpointAdded EndpointUpdated EndpointRemoved",
  ),
  PlayerEvents: events(
    "PlayerEvents", "Player", "Created Started Stopped PlaybackReady PlaybackFinished PlaybackMarkerReached Error",
  ),
  RecorderEvents: events("RecorderEvents", "Recorder", "Started Stopped RecorderError"),
  WebSocketEvents: events("WebSocketEvents", "WebSocket", "OPEN CLOSE ERROR MESSAGE MEDIA_STARTED MEDIA_ENDED"),
  WebSocketAudioEncoding: watch("WebSocketAudioEncoding", {
    PCM16_8KHZ: "PCM8", PCM16_16KHZ: "PCM16", ULAW: "ULAW", ALAW: "ALAW",
  }),
  WebSocketReadyState: watch("WebSocketReadyState", {
    CONNECTING: "CONNECTING", OPEN: "OPEN", CLOSING: "CLOSING", CLOSED: "CLOSED",
  }),
});

return {};
