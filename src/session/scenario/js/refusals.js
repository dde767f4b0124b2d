// What the gateway could not do.

const { extend, inner, session, calls, on } = part("core");
const { failed } = part("endings");

extend(on, {
  refused(handle, verb, why, missing) {
    if (verb === "send_message" || verb === "send_info") return messageRefused(why);
    host.log(`${verb}: ${why}`);
    const call = calls.get(handle);
    if ((verb === "dial" || verb === "join") && call) return failed(handle, call, 480, why);
    if (verb === "forward_direct" && call) return notForwarded(handle, call, why);
    if (verb === "play") refused(call, why, missing);
  },
});

/** A sound cannot be played; `missing` names it where it is known. */
function refused(call, why, missing) {
  const { playbacks, ended } = part("playing");
  const playback = call?.[inner].playback ?? playing(playbacks, missing);
  if (!playback) return;
  if (playback.player) part("player").failed(playback, why);
  else ended(playback, { error: why });
}

/** What plays the sound of that name. A URL's is without its query. */
function playing(playbacks, name) {
  for (const playback of playbacks.values()) {
    const [kind, place] = playback.item ?? playback.player[inner].items[playback.at];
    if (place === name || (kind === "url" && place.split(/[?#]/)[0] === name)) return playback;
  }
  return undefined;
}

/** A call cannot go past the gateway: who asked for a peer hears of it, else the caller has waited long enough. */
function notForwarded(handle, call, why) {
  const peer = call[inner].directly;
  if (!peer) return host.reject(handle, 480);
  call[inner].directly = null;
  failed(peer[inner].unit.handle, peer, 480, why);
}

/** The timer of refused messages. */
const REFUSALS = 0;
/** How long refused messages are counted, in milliseconds, once one was told. */
const COUNTING = 10_000;

/** A message that could not be sent is a line in the log; many are one more. */
function messageRefused(line) {
  if (!session.refusals) {
    session.refusals = new Map();
    host.setTimer(REFUSALS, COUNTING);
  }
  const { refusals } = session;
  const before = refusals.get(line);
  if (before === undefined) host.log(line);
  refusals.set(line, before === undefined ? 0 : before + 1);
}

function tellRefusals() {
  for (const [line, count] of session.refusals ?? []) if (count) host.log(`${line}, and for ${count} more`);
  session.refusals = null;
}

return { tellRefusals };
