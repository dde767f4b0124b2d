// Conferences.

const { watch, extend, inner, SECRET, soon, Emitter, connect, disconnect, leaving, VoxEngine } = part("core");

const conferences = new Map();
let lastRoom = 0;

class Conference extends Emitter {
  constructor(secret) {
    if (secret !== SECRET) throw new TypeError("conferences are made by VoxEngine.createConference");
    super();
    this[inner] = { unit: { isCall: false, handle: ++lastRoom }, id: "", over: false, endpoints: null };
    conferences.set(lastRoom, this);
    host.openRoom(lastRoom);
    soon(this, "Conference.Started", { conference: this });
  }

  sendMediaTo(target, given) { connect(this, target, given); }
  stopMediaTo(target) { disconnect(this, target); }

  stop() {
    const state = this[inner];
    if (state.over) return;
    for (const endpoint of state.endpoints ?? []) endpoint.remove();
    for (const leave of leaving) leave(this);
    state.over = true;
    conferences.delete(state.unit.handle);
    host.closeRoom(state.unit.handle);
    soon(this, "Conference.Stopped", { conference: this });
  }
}
watch("Conference", Conference.prototype);

extend(VoxEngine, { createConference: () => new Conference(SECRET) });

return { Conference, conferences };
