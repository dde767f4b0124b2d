//! Playbacks that end, and those that cannot begin.

use super::*;
use crate::session::PlaybackHandle;

/// Says something to each call, and logs how that ends.
const SAYS: &str = "VoxEngine.addEventListener(AppEvents.CallAlerting, ({ call }) => {
     call.addEventListener(CallEvents.PlaybackFinished, (e) => Logger.write('finished ' + (e.error ?? '')));
     call.say('a');
 })";

#[test]
fn a_playback_is_told_to_have_finished_once() {
    let mut running = silent(SAYS);
    let finished = || Event::PlaybackFinished { playback: PlaybackHandle(1), completed: true };
    running.play(&[(incoming(), "play1 me 'a'"), (finished(), "\"finished \""), (finished(), "")]);
}

#[test]
fn a_sound_that_cannot_be_had_ends_its_playback_whether_a_call_is_named_or_not() {
    for call in [Some(CALL), None] {
        let missing = |name: &str| Event::VerbFailed { call, error: VerbError::NoSuchSound(name.into()) };
        let mut running = silent(SAYS);
        running.play(&[
            (incoming(), "play1 me 'a'"),
            (missing("a"), r#""play: there is no sound \"a\""; "finished there is no sound \"a\"""#),
            (missing("a"), r#""play: there is no sound \"a\"""#),
        ]);
    }
}
