// What the gateway could not do.

const { host, extend, inner, session, calls, on, failed } = part("core");

extend(on, {
  refused(handle, verb, why, missing) {
    if (verb === "send_message" || verb === "send_info") return messageRefused(why);
    host.log(`${verb}: ${why}`);
    const call = calls.get(handle);
    if ((verb === "dial" || verb === "join") && call) return failed(handle, call, 480, why);
    if (verb === "forward_direct" && call) return notForwarded(handle, call, why);
    if (verb === "play") part("playing").refused(call, why, missing);
  },
});

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
