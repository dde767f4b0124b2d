// The end of calls, and of the session.

const { extend, inner, session, fire, application, calls, leaving, isOver, on, tell } = part("core");

/** A call is over: so is all that it was part of. */
function forget(handle, call, state) {
  calls.delete(handle);
  const own = call[inner];
  Object.assign(own, { over: true, state, hears: null });
  if (own.playback) part("playing").forget(own);
  for (const endpoint of own.endpoints ?? []) endpoint.remove();
  for (const leave of leaving) leave(call);
}

function failed(handle, call, code, reason) {
  forget(handle, call, "FAILED");
  tell(call, "Call.Failed", { code, reason, headers: {} });
}

extend(on, {
  failed(handle, code, reason) {
    const call = calls.get(handle);
    if (call) failed(handle, call, code, reason);
  },

  ended(handle, reason, seconds) {
    const call = calls.get(handle);
    if (!call) return;
    const { connected, rejected, directly } = call[inner];
    if (directly && !isOver(directly)) on.ended(directly[inner].unit.handle, reason, seconds);
    if (!connected) return failed(handle, call, rejected ?? 487, reason);
    forget(handle, call, "DISCONNECTED");
    tell(call, "Call.Disconnected", { reason, duration: seconds, cost: 0, headers: {}, internalCode: 200 });
  },

  over() {
    tellRefusals();
    fire(application, "Application.Terminating", {});
    fire(application, "Application.Terminated", {});
  },
});

function tellRefusals() {
  if (session.refusals) part("refusals").tellRefusals();
}

/** The scenario has asked for it. */
function terminate() {
  tellRefusals();
  fire(application, "Application.Terminating", {});
  host.endSession();
  fire(application, "Application.Terminated", {});
}

return { failed, terminate };
