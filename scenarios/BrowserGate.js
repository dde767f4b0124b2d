// A browser's call joins the conference that its header names; messages go both ways.
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
    });
    conference.addEventListener(CallEvents.Connected, () => VoxEngine.sendMediaBetween(conference, call));
    conference.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
    conference.addEventListener(CallEvents.Failed, () => VoxEngine.terminate());
    conference.addEventListener(CallEvents.MessageReceived, ({ text }) => call.sendMessage(text));
    call.addEventListener(CallEvents.MessageReceived, ({ text }) => conference.sendMessage(text));
  });
  call.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
  call.addEventListener(CallEvents.Failed, () => VoxEngine.terminate());
  call.answer();
});
