// A telephone keys the PIN of a conference and comes into it. A wrong PIN may be corrected, three times in all. What is
// heard are prompts of the gateway's, which need no voice.
require(Modules.Conference);

const MOST_TRIES = 3;
/** How a conference that its host has locked refuses a call. */
const LOCKED = 423;
/** How the gateway refuses a caller with too many wrong PINs. */
const BLOCKED = 403;
/** Milliseconds of silence after which a caller whose PIN waits for its turn hears so, and how often at most. */
const WAIT = 4000;
const MOST_WAITS = 20;

VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
  let pin = "";
  let tries = 0;
  let conference = null;

  /** Plays prompts one after the other, and then goes on. */
  const play = (prompts, then = () => {}) => {
    const rest = prompts.slice(1);
    call.removeEventListener(CallEvents.PlaybackFinished);
    call.addEventListener(CallEvents.PlaybackFinished, () => (rest.length > 0 ? play(rest, then) : then()));
    call.startPlayback(prompts[0]);
  };

  const ask = (...prompts) => {
    pin = "";
    play([...prompts, "enter-pin"]);
  };

  /** The caller hears why it is over, and then it is. */
  const leave = (...prompts) => {
    call.handleTones(false);
    call.removeEventListener(CallEvents.ToneReceived);
    play(prompts, () => call.hangup());
  };

  const join = () => {
    tries += 1;
    const asked = VoxEngine.callConference(`conf_${pin}`, call.callerid(), call.displayName(), {
      "X-ClientType": "pstn_inbound",
    });
    conference = asked;
    let waits = 0;
    let waiting = null;
    const wait = () => {
      waiting = setTimeout(() => {
        waits += 1;
        if (waits <= MOST_WAITS) return play(["please-wait"], wait);
        asked.hangup();
        leave("call-failed", "goodbye");
      }, WAIT);
    };
    wait();
    asked.addEventListener(CallEvents.Connected, () => {
      clearTimeout(waiting);
      call.removeEventListener(CallEvents.PlaybackFinished);
      call.stopPlayback();
      VoxEngine.sendMediaBetween(asked, call);
    });
    asked.addEventListener(CallEvents.Disconnected, () => VoxEngine.terminate());
    asked.addEventListener(CallEvents.Failed, ({ code }) => {
      clearTimeout(waiting);
      conference = null;
      // It has waited too long, and is told so already.
      if (waits > MOST_WAITS) return;
      call.stopPlayback();
      if (code === LOCKED) leave("call-failed");
      else if (code === BLOCKED) leave("pin-blocked", "goodbye");
      else if (tries < MOST_TRIES) ask("wrong-pin");
      else leave("wrong-pin", "goodbye");
    });
  };

  /** The conference is told how the call disturbs it. */
  const pass = (on) => ({ disturbance }) => {
    conference?.sendMessage(JSON.stringify({ type: "DISTURBANCE", disturbance, on }));
  };

  call.addEventListener(CallEvents.DisturbanceBegan, pass(true));
  call.addEventListener(CallEvents.DisturbanceEnded, pass(false));
  call.addEventListener(CallEvents.Connected, () => {
    call.handleTones(true);
    ask();
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
