// VoxEngine: the session, and what nearly every scenario asks of it.

const VoxEngine = watch("VoxEngine", {
  addEventListener: (event, callback) => application.addEventListener(event, callback),

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
});

Math.random = host.random;
globalThis.VoxEngine = VoxEngine;
