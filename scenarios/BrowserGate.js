// A browser's call joins the conference that its header names; messages go both ways. Where the conference does not
// take it, the browser is told { type: "CONFERENCE_REFUSED", code } first.
require(Modules.Conference);

VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call, headers }) => {
  const id = headers["X-Conference-Id"];
  if (!/^[A-Za-z0-9]{1,40}$/.test(id ?? "")) {
    call.addEventListener(CallEvents.Failed, () => VoxEngine.terminate());
    call.reject(404);
    return;
  }

  call.addEventListener(CallEvents.Connected, () => {
    const conference = VoxEngine.callConference(`conf_${id}`, call.callerid(), call.displayName(), {
      "X-ClientType": "web",
      // The gateway says it, and nobody who calls.
      "X-Conference-Role": headers["X-Conference-Role"] ?? "guest",
    });
    conference.addEventListener(CallEvents.Connected, () => VoxEngine.sendMediaBetween(conference, call));
    conference.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
    conference.addEventListener(CallEvents.Failed, ({ code }) => {
      call.sendMessage(JSON.stringify({ type: "CONFERENCE_REFUSED", code }));
      VoxEngine.terminate();
    });
    conference.addEventListener(CallEvents.MessageReceived, ({ text }) => call.sendMessage(text));
    call.addEventListener(CallEvents.MessageReceived, ({ text }) => conference.sendMessage(text));
    const pass = (on) => ({ disturbance }) => {
      conference.sendMessage(JSON.stringify({ type: "DISTURBANCE", disturbance, on }));
    };
    call.addEventListener(CallEvents.DisturbanceBegan, pass(true));
    call.addEventListener(CallEvents.DisturbanceEnded, pass(false));
  });
  call.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
  call.addEventListener(CallEvents.Failed, () => VoxEngine.terminate());
  call.answer();
});
