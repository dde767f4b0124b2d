// What few scenarios ask of their session.

const { extend, text, session, application, disconnect, VoxEngine } = part("core");

extend(VoxEngine, {
  removeEventListener: (event, callback) => application.removeEventListener(event, callback),

  customData(data) {
    if (data !== undefined) session.customData = text(data);
    return session.customData;
  },

  stopMediaBetween(one, other) {
    disconnect(one, other);
    disconnect(other, one);
  },
});
