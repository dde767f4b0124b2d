// Calls that are forwarded, and calls that belong together.

const { extend, inner, SECRET, text, application, Call, last, unit, isOver, VoxEngine } = part("core");
const { options } = part("dialling");

function onAlerting(action) {
  application.addEventListener("Application.CallAlerting", action);
}

/** Two calls that belong together: what happens to one happens to the other. */
function easyProcess(caller, callee, onEstablished) {
  let early = false;
  const both = (event, action) => {
    caller.addEventListener(event, (e) => action(callee, e));
    callee.addEventListener(event, (e) => action(caller, e));
  };
  callee.addEventListener("Call.Ringing", () => caller.ring());
  callee.addEventListener("Call.AudioStarted", () => {
    if (early || caller[inner].connected || callee[inner].connected) return;
    early = true;
    caller.startEarlyMedia();
    callee.sendMediaTo(caller);
  });
  callee.addEventListener("Call.Connected", () => caller.answer());
  caller.addEventListener("Call.Connected", () => {
    VoxEngine.sendMediaBetween(caller, callee);
    if (onEstablished) onEstablished(caller, callee);
  });
  callee.addEventListener("Call.Failed", (e) => {
    if (!isOver(caller)) caller.reject(e.code);
    VoxEngine.terminate();
  });
  caller.addEventListener("Call.Failed", () => VoxEngine.terminate());
  both("Call.Disconnected", () => VoxEngine.terminate());
  both("Call.MessageReceived", (other, e) => other.sendMessage(e.text));
  both("Call.InfoReceived", (other, e) => other.sendInfo(e.mimeType, e.body, e.headers));
  both("Call.OnHold", (other) => other.hold());
  both("Call.OffHold", (other) => other.unhold());
}

/** Forwards what comes in: `make` calls whoever is to have it. */
function forward(make, callback) {
  onAlerting((e) => {
    const callee = make(e);
    easyProcess(e.call, callee, callback);
  });
}

extend(VoxEngine, {
  callUserDirect(incoming, ...args) {
    const from = unit(incoming, "callUserDirect");
    const given = options(args, ["username", "callerid", "displayName", "headers"]);
    const call = new Call(SECRET, ++last.call, { number: text(given.username), state: "CONNECTING", direct: incoming });
    incoming[inner].directly = call;
    host.forwardDirect(from.handle, text(given.username));
    return call;
  },

  forwardCallToUserDirect(callback) {
    onAlerting((e) => {
      host.forwardDirect(e.call[inner].unit.handle, "");
      if (callback) callback(e.call, e.call);
    });
  },
  forwardCallToUser: (callback) => forward((e) => {
    return VoxEngine.callUser(e.destination, e.callerid, e.displayName, e.headers);
  }, callback),
  forwardCallToPSTN: (number, callerid) => forward((e) => {
    const to = number ? number(e.destination) : e.destination;
    return VoxEngine.callPSTN(to, callerid ? callerid(e.callerid) : e.callerid);
  }),
  forwardCallToSIP: (callback) => forward((e) => VoxEngine.callSIP(e.toURI, { callerid: e.callerid }), callback),
  easyProcess,

  playSoundAndHangup(url) {
    onAlerting((e) => {
      e.call.addEventListener("Call.Connected", () => e.call.startPlayback(url));
      e.call.addEventListener("Call.PlaybackFinished", () => e.call.hangup());
      for (const over of ["Call.Disconnected", "Call.Failed"]) {
        e.call.addEventListener(over, () => VoxEngine.terminate());
      }
      e.call.answer();
    });
  },
});
