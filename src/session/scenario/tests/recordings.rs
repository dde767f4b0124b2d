//! Recordings.

use super::*;

/// A script with a call that was answered, in `call`; a message is code.
fn with_call() -> Running {
    let mut running = silent(
        "var call, conf, recorder;
         VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             call = e.call;
             call.addEventListener(CallEvents.MessageReceived, (e) => (0, eval)(e.text));
             call.addEventListener(CallEvents.RecordStarted, (e) => Logger.write('started ' + e.url));
             call.addEventListener(CallEvents.RecordStopped, (e) => Logger.write(`stopped ${e.url} ${e.duration} ${e.error}`));
         });
         var made = (given) => {
             recorder = VoxEngine.createRecorder(given);
             recorder.addEventListener(RecorderEvents.Started, (e) => Logger.write('started ' + e.url));
             recorder.addEventListener(RecorderEvents.Stopped, (e) => Logger.write(`stopped ${e.url} ${e.duration} ${e.cost}`));
             recorder.addEventListener(RecorderEvents.RecorderError, (e) => Logger.write('failed ' + e.error));
         }",
    );
    running.play(&[(incoming(), ""), (answered(CALL), "")]);
    running
}

fn code(text: &str) -> Event {
    message(CALL, text)
}

impl Running {
    fn recorded(&mut self, recording: u32, news: &RecordNews) -> String {
        short(&self.runtime.recorded(self.now, recording, news))
    }
}

fn started() -> RecordNews {
    RecordNews::Started { url: "file:///a.wav".into() }
}

fn stopped() -> RecordNews {
    RecordNews::Stopped { url: "file:///a.wav".into(), seconds: 7 }
}

#[test]
fn a_conference_is_recorded_until_it_is_stopped() {
    let mut running = with_call();
    running.play(&[
        (
            code("conf = VoxEngine.createConference(); recorder = conf.record({ hd_audio: true }); Logger.write(recorder.id().length)"),
            "open room1; open stream1 out at 16000; room1>stream1; record1 1; \"36\"",
        ),
        (code("call.sendMediaTo(recorder = conf.record())"), "open stream2 out at 8000; room1>stream2; me>stream2; record2 2"),
        (code("conf.stop()"), "close stream1; close room1"),
        (code("recorder.stop(); recorder.stop()"), "close stream2"),
    ]);
}

#[test]
fn a_call_is_recorded_with_what_it_hears_until_it_is_over() {
    let mut running = with_call();
    running.play(&[(
        code("call.record({ stereo: true })"),
        "open stream1 out at 8000; open stream2 ear at 8000; me>stream1; me>stream2; record1 1+2 stereo",
    )]);
    assert_eq!(running.recorded(1, &started()), "\"started file:///a.wav\"");
    running.play(&[
        (code("call.record()"), "\"record: the call is being recorded\""),
        (ended(CALL), "close stream1; close stream2"),
    ]);
    assert_eq!(running.recorded(1, &stopped()), "\"stopped file:///a.wav 7 undefined\"");
    assert_eq!(running.recorded(1, &stopped()), "", "it was over");
}

#[test]
fn a_recorder_records_one_source_at_a_time_until_it_is_stopped() {
    let mut running = with_call();
    running.play(&[
        (code("made({ hd_audio: true })"), "open stream1 out at 16000; record1 1"),
        (code("conf = VoxEngine.createConference(); conf.sendMediaTo(recorder)"), "open room1; room1>stream1"),
        (code("call.sendMediaTo(recorder); conf.stopMediaTo(recorder)"), "me>stream1"),
        (code("call.stopMediaTo(recorder)"), "me|stream1"),
        (code("recorder.stop(); recorder.stop(); call.sendMediaTo(recorder)"), "close stream1"),
    ]);
    assert_eq!(running.recorded(1, &started()), "\"started file:///a.wav\"");
    assert_eq!(running.recorded(1, &stopped()), "\"stopped file:///a.wav 7 0\"");
    running.play(&[(code("recorder.stop(); call.sendMediaTo(recorder)"), "")]);
}

#[test]
fn a_full_disk_is_an_event_and_ends_the_recording_alone() {
    let full = RecordNews::Failed { why: "no space left".into(), seconds: 3 };
    let mut running = with_call();
    running.play(&[
        (code("made()"), "open stream1 out at 8000; record1 1"),
        (
            code("call.record()"),
            "open stream2 out at 8000; open stream3 ear at 8000; me>stream2; me>stream3; record2 2+3",
        ),
    ]);
    assert_eq!(running.recorded(1, &full), "close stream1; \"failed no space left\"");
    assert_eq!(
        running.recorded(2, &full),
        "close stream2; close stream3; \"record: no space left\"; \"stopped  3 no space left\""
    );
}

#[test]
fn there_are_ten_recordings_at_once() {
    let mut running = with_call();
    let begun = running.tell(&code("for (let n = 0; n < 10; n++) made()"));
    assert_eq!(begun.matches("record").count(), 10, "{begun}");
    running.play(&[
        (code("made()"), "\"failed more than 10 recordings at once\""),
        (code("call.record()"), "\"record: more than 10 recordings at once\""),
    ]);
}

#[test]
fn a_muted_recorder_records_silence() {
    with_call().play(&[
        (code("made(); call.sendMediaTo(recorder)"), "open stream1 out at 8000; me>stream1; record1 1"),
        (code("recorder.mute(true); recorder.mute(true)"), "me|stream1"),
        (code("conf = VoxEngine.createConference(); conf.sendMediaTo(recorder)"), "open room1"),
        (code("recorder.mute(false)"), "room1>stream1"),
        (code("recorder.mute(true); conf.stopMediaTo(recorder); recorder.mute(false)"), "room1|stream1"),
        (code("recorder.stop(); recorder.mute(true)"), "close stream1"),
    ]);
}
