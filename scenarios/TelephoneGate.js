// A telephone keys the PIN of a conference and comes into it. A wrong PIN may be corrected, three times in all.
require(Modules.Conference);

const MOST_TRIES = 3;
/** How a conference that its host has locked refuses a call. */
const LOCKED = 423;
const VOICE = Language.UK_ENGLISH_FEMALE;

VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
  let pin = "";
  let tries = 0;
  let conference = null;

  const ask = (words) => {
    pin = "";
    call.say(words, VOICE);
  };

  /** The caller hears why it is over, and then it is. */
  const leave = (words) => {
    call.handleTones(false);
    call.removeEventListener(CallEvents.ToneReceived);
    call.addEventListener(CallEvents.PlaybackFinished, () => call.hangup());
    call.say(words, VOICE);
  };

  const join = () => {
    tries += 1;
    const asked = VoxEngine.callConference(`conf_${pin}`, call.callerid(), call.displayName(), {
      "X-ClientType": "pstn_inbound",
    });
    conference = asked;
    asked.addEventListener(CallEvents.Connected, () => VoxEngine.sendMediaBetween(asked, call));
    asked.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
    asked.addEventListener(CallEvents.Failed, ({ code }) => {
      conference = null;
      if (code === LOCKED) leave("This conference is locked. Goodbye.");
      else if (tries < MOST_TRIES) ask("There is no conference with this PIN. Please enter it again, and then press pound.");
      else leave("There is no conference with this PIN. Goodbye.");
    });
  };

  call.addEventListener(CallEvents.Connected, () => {
    call.handleTones(true);
    ask("Hello. Please enter the PIN of your conference, and then press pound.");
  });
  call.addEventListener(CallEvents.ToneReceived, ({ tone }) => {
    if (conference) return;
    call.stopPlayback();
    if (tone === "*") pin = "";
    else if (tone !== "#") pin = (pin + tone).slice(0, 20);
    else if (pin) join();
  });
  call.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
  call.addEventListener(CallEvents.Failed, () => VoxEngine.terminate());
  call.answer();
});
