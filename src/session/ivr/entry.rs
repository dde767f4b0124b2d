//! The greeting and the entry of a PIN or conference number, up to the room or the refusal.

use crate::dialplan::{Collect, Ivr, Say, Then};
use crate::session::collect::Completion;
use crate::session::line::{Fallback, Line, item};
use crate::session::{CollectSpec, Digits, Event, PinVerdict, PlayItem, RoomHandle, RoomName, Verb, Verbs};
use std::time::Duration;

/// Longest a prompt may play before it counts as never ending.
pub(super) const PROMPT_LIMIT: Duration = Duration::from_secs(180);

/// Wait for the verdict on a PIN before the caller is asked for patience; then again after each such time of silence.
pub(super) const VERDICT_SILENCE: Duration = Duration::from_secs(4);

/// How often the caller is asked for patience before the session gives up (about two minutes with the default prompt).
pub(super) const PATIENCE: u8 = 20;

/// Asks for patience.
pub(super) const PLEASE_WAIT: &str = "please-wait";

/// Where a caller stands before the room.
#[derive(Debug)]
pub(super) struct Entry {
    number: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Hears the greeting; nothing is to be keyed. The timer takes a greeting that never ends for ended.
    Greeting,
    /// Is asked for digits. The collection ends by itself; the timer covers a prompt that never ends.
    Collecting { tries_left: u8, silence: Silence },
    /// Has keyed a PIN that may open `room`; the verdict is not there yet. The timer asks for patience.
    Checking { room: RoomHandle, tries_left: u8, patience: u8 },
}

/// What no key in time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// The caller may still be looking for the PIN: is reminded, and no try is spent.
    Reminds,
    /// It came before in this try.
    Counts,
}

/// What an event led to.
#[derive(Debug)]
pub(super) enum Entered {
    NotYet(Entry),
    /// Into this room, which the gateway opened.
    Room(RoomHandle),
    /// Into the room of this name.
    RoomNamed(RoomName),
    /// On to another telephone.
    Dial {
        number: String,
        confirm: Option<bool>,
    },
    /// Not let in.
    Refused {
        final_prompts: Vec<PlayItem>,
        cause: &'static str,
    },
}

impl Entry {
    /// Greets the caller of `number`.
    pub(super) fn begin(plan: &Ivr, number: String, line: &mut Line, out: &mut Verbs) -> Self {
        let greeting = vec![item(plan.greeting(&number))];
        let state = match &plan.collect {
            None => {
                line.play(greeting, Fallback::Beep, out);
                line.arm(PROMPT_LIMIT, out);
                State::Greeting
            }
            Some(collect) => Self::collect(collect, collect.tries, Silence::Reminds, greeting, line, out),
        };
        Self { number, state }
    }

    pub(super) fn handle(self, plan: &Ivr, event: &Event, line: &mut Line, out: &mut Verbs) -> Entered {
        match self.state {
            State::Greeting => {
                let heard = match event {
                    Event::PlaybackFinished { playback, .. } => line.finished(*playback),
                    Event::Timer { timer } => line.due(*timer),
                    Event::VerbFailed { error, .. } if error.verb() == "play" => !line.play_instead(error, out),
                    Event::VerbFailed { error, .. } => error.verb() == "set_timer",
                    _ => false,
                };
                if heard { self.go_on(plan, &Digits::default()) } else { Entered::NotYet(self) }
            }
            State::Collecting { tries_left, silence } => match event {
                Event::Collected { digits, how, .. } => {
                    line.disarm(out);
                    match (&plan.collect, how) {
                        (Some(collect), Completion::NoInput) if silence == Silence::Reminds => {
                            let prompt = vec![item(&plan.prompts.timeout), item(plan.greeting(&self.number))];
                            let state = Self::collect(collect, tries_left, Silence::Counts, prompt, line, out);
                            Entered::NotYet(Self { state, ..self })
                        }
                        _ => self.collected(plan, digits, *how, tries_left, line, out),
                    }
                }
                Event::PlaybackFinished { playback, .. } => {
                    line.finished(*playback);
                    Entered::NotYet(self)
                }
                Event::Timer { timer } if line.due(*timer) => {
                    out.push(Verb::StopCollect { call: line.call() });
                    self.again(plan, item(&plan.prompts.timeout), tries_left, line, out)
                }
                Event::VerbFailed { error, .. } => match error.verb() {
                    // The time for the first digit runs from here if nothing can be played.
                    "play" => {
                        line.play_instead(error, out);
                        Entered::NotYet(self)
                    }
                    "collect" => refused(&plan.prompts.goodbye, "failed"),
                    _ => Entered::NotYet(self),
                },
                _ => Entered::NotYet(self),
            },
            State::Checking { .. } => self.checking(plan, event, line, out),
        }
    }

    fn collected(
        mut self,
        plan: &Ivr,
        digits: &Digits,
        how: Completion,
        tries_left: u8,
        line: &mut Line,
        out: &mut Verbs,
    ) -> Entered {
        match (how, &plan.then) {
            (Completion::NoInput, _) => self.again(plan, item(&plan.prompts.timeout), tries_left, line, out),
            (Completion::TooShort, _) => self.again(plan, item(&plan.prompts.short), tries_left, line, out),
            (_, Then::ByPin { open_rooms }) => {
                let (pin, room) = (digits.clone(), line.new_room());
                out.push(Verb::CheckPin { call: line.call(), pin, room, open_rooms: *open_rooms });
                line.arm(VERDICT_SILENCE, out);
                self.state = State::Checking { room, tries_left, patience: PATIENCE };
                Entered::NotYet(self)
            }
            (_, Then::Room(_) | Then::Dial { .. }) => self.go_on(plan, digits),
        }
    }

    fn checking(mut self, plan: &Ivr, event: &Event, line: &mut Line, out: &mut Verbs) -> Entered {
        let State::Checking { room, tries_left, patience } = self.state else { return Entered::NotYet(self) };
        let give_up = || refused(&plan.prompts.goodbye, "pin-not-checked");
        match event {
            Event::PinChecked { verdict, .. } => {
                line.disarm(out);
                match verdict {
                    PinVerdict::Opened { .. } => Entered::Room(room),
                    PinVerdict::Wrong => self.again(plan, item(&plan.prompts.wrong), tries_left, line, out),
                    PinVerdict::Blocked => refused(&plan.prompts.blocked, "pin-blocked"),
                }
            }
            Event::Timer { timer } if line.due(*timer) => {
                let Some(patience) = patience.checked_sub(1) else { return give_up() };
                line.play(vec![PlayItem::Prompt(PLEASE_WAIT.into())], Fallback::Beep, out);
                line.arm(PROMPT_LIMIT, out);
                self.state = State::Checking { room, tries_left, patience };
                Entered::NotYet(self)
            }
            Event::PlaybackFinished { playback, .. } => {
                if line.finished(*playback) {
                    line.arm(VERDICT_SILENCE, out);
                }
                Entered::NotYet(self)
            }
            Event::VerbFailed { error, .. } => match error.verb() {
                "play" => {
                    if !line.play_instead(error, out) {
                        line.arm(VERDICT_SILENCE, out);
                    }
                    Entered::NotYet(self)
                }
                "check_pin" | "set_timer" => give_up(),
                _ => Entered::NotYet(self),
            },
            _ => Entered::NotYet(self),
        }
    }

    /// One try is spent: says what went wrong, and asks once more or says goodbye.
    fn again(mut self, plan: &Ivr, what: PlayItem, tries_left: u8, line: &mut Line, out: &mut Verbs) -> Entered {
        let tries_left = tries_left.saturating_sub(1);
        match &plan.collect {
            Some(collect) if tries_left > 0 => {
                let prompt = vec![what, item(plan.greeting(&self.number))];
                self.state = Self::collect(collect, tries_left, Silence::Reminds, prompt, line, out);
                Entered::NotYet(self)
            }
            _ => Entered::Refused { final_prompts: vec![what, item(&plan.prompts.goodbye)], cause: "pin-refused" },
        }
    }

    fn go_on(self, plan: &Ivr, digits: &Digits) -> Entered {
        match &plan.then {
            Then::Room(room) if room.uses_digits() => Entered::RoomNamed(RoomName::Keyed {
                template: room.clone(),
                number: self.number,
                digits: digits.clone(),
            }),
            Then::Room(room) => Entered::RoomNamed(RoomName::Plain(room.expand(&self.number, ""))),
            Then::Dial { number, confirm } => Entered::Dial { number: number.clone(), confirm: *confirm },
            // Nothing was collected, so there is no PIN: the dialplan does not let this through.
            Then::ByPin { .. } => refused(&plan.prompts.goodbye, "pin-refused"),
        }
    }

    fn collect(
        collect: &Collect,
        tries_left: u8,
        silence: Silence,
        prompt: Vec<PlayItem>,
        line: &mut Line,
        out: &mut Verbs,
    ) -> State {
        line.play(prompt, Fallback::Beep, out);
        out.push(Verb::Collect { call: line.call(), spec: spec(collect) });
        line.arm(longest(collect), out);
        State::Collecting { tries_left, silence }
    }
}

fn refused(final_prompt: &Say, cause: &'static str) -> Entered {
    Entered::Refused { final_prompts: vec![item(final_prompt)], cause }
}

fn spec(collect: &Collect) -> CollectSpec {
    CollectSpec {
        min_digits: collect.min_digits,
        max_digits: collect.max_digits,
        terminator: collect.terminator,
        restart: collect.restart,
        first_digit: collect.first_digit,
        next_digit: collect.next_digit,
    }
}

/// Longer than any collection whose prompt ends, unless the caller starts anew over and over.
fn longest(collect: &Collect) -> Duration {
    let keying = collect.next_digit.saturating_mul(u32::from(collect.max_digits));
    PROMPT_LIMIT.saturating_add(collect.first_digit).saturating_add(keying)
}
