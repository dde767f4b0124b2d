// What happens less often.

const { extend, inner, session, fire, application, calls, on, tell, pairs } = part("core");

/** Of `AppEvents.HttpRequest`, in characters. */
const LONGEST_ANSWER = 65_536;

extend(on, {
  /** Somebody has asked the session's URL. Gives the answer; `undefined` where nobody listens. */
  request(method, path, content) {
    if (!fire(application, "Application.HttpRequest", { method, path, content })) return undefined;
    const { given } = session;
    if (given === undefined || given === null || given instanceof Promise) return "";
    const answer = typeof given === "object" ? JSON.stringify(given) : String(given);
    if (answer?.length <= LONGEST_ANSWER) return answer;
    host.log(`HttpRequest: the answer is longer than ${LONGEST_ANSWER} characters`);
    return "";
  },

  ringing(handle) {
    const call = calls.get(handle);
    if (!call) return;
    call[inner].state = "PROGRESSING";
    tell(call, "Call.Ringing", { headers: {} });
  },

  earlyMedia(handle) {
    const call = calls.get(handle);
    if (!call || call[inner].audio) return;
    call[inner].audio = true;
    tell(call, "Call.AudioStarted");
  },

  soundStopped(handle) {
    const call = calls.get(handle);
    if (call) tell(call, "Call.RtpStopped");
  },

  disturbs(handle, disturbance, isHeard) {
    const call = calls.get(handle);
    if (call) tell(call, isHeard ? "Call.DisturbanceBegan" : "Call.DisturbanceEnded", { disturbance });
  },

  digit(handle, tone) {
    const call = calls.get(handle);
    if (call?.[inner].tones) tell(call, "Call.ToneReceived", { tone });
  },

  info(handle, mimeType, list, body) {
    const call = calls.get(handle);
    if (call) tell(call, "Call.InfoReceived", { mimeType, body, headers: pairs(list) });
  },

  held(handle, isHeld) {
    const call = calls.get(handle);
    if (call) tell(call, isHeld ? "Call.OnHold" : "Call.OffHold");
  },

  referred(handle, code, reason) {
    const call = calls.get(handle);
    if (!call) return;
    if (code === 200) tell(call, "Call.TransferComplete", { role: "transferor" });
    else tell(call, "Call.TransferFailed", { code, reason, role: "transferor" });
  },

  roomFailed(handle, why) {
    const conference = part("conference").conferences.get(handle);
    if (conference) fire(conference, "Conference.ConferenceError", { conference, error: why });
  },
});
