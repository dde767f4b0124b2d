// VoxEngine: the session, and what nearly every scenario asks of it; and its log.

const VoxEngine = watch("VoxEngine", {
  addEventListener: (event, callback) => application.addEventListener(event, callback),
  removeEventListener: (event, callback) => application.removeEventListener(event, callback),

  customData(data) {
    if (data !== undefined) session.customData = text(data);
    return session.customData;
  },

  /** Ends the session when the code that runs now is done; its calls are hung up. */
  terminate() {
    if (session.terminating) return;
    session.terminating = true;
    host.wake();
  },

  sendMediaBetween(one, other) {
    connect(one, other);
    connect(other, one);
  },
  stopMediaBetween(one, other) {
    disconnect(one, other);
    disconnect(other, one);
  },
});

/** As a log shows it: errors with their place. */
function shown(value) {
  if (value instanceof Error) return value.stack ? `${value}\n${value.stack}` : String(value);
  try { return String(value); } catch { return Object.prototype.toString.call(value); }
}

const Logger = watch("Logger", { write(value) { host.log(shown(value)); } });

Math.random = host.random;
Object.assign(globalThis, { VoxEngine, Logger });
