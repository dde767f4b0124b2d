//! `partyline ctl`: asks a running gateway over its control socket.

mod shell;
pub(super) mod table;

use super::wire::{Ask, ShellRequest};
use super::{fail, print, print_json, say};
use crate::gateway::{Audience, NewUser, Password, Reply, Request, UserChange};
use clap::{Args, Subcommand};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A gateway that takes longer to answer is not well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest time between two words about a call: it may ring for five minutes.
const CALL_PATIENCE: Duration = Duration::from_secs(330);

/// As long as a peer may take to answer an offer, a few times over.
const HOLD_PATIENCE: Duration = Duration::from_secs(100);
/// Patience with a voice: one that hangs is waited for until another one speaks.
const SAY_PATIENCE: Duration = Duration::from_secs(120);
/// Patience with a sound that is fetched.
const FETCH_PATIENCE: Duration = Duration::from_secs(630);

#[derive(Debug, Args)]
pub(super) struct CtlArguments {
    /// The gateway's control socket: gateway.control of its dialplan.
    #[arg(long, value_name = "PATH", default_value = "var/partyline.sock")]
    socket: PathBuf,
    /// As JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Calls, rooms and trunks.
    Status,
    /// The calls in progress.
    Calls,
    /// The rooms with somebody in them.
    Rooms,
    /// The trunks: whether they are registered, whether they answer.
    Trunks,
    /// The users, and where they are registered.
    Users,
    /// Makes a user, whose password is read from standard input, a line of it.
    AddUser {
        /// The name: alice
        name: String,
        /// What others are shown: "Alice Ashton"
        #[arg(long, default_value = "")]
        display_name: String,
        /// Ends the user after so many seconds, or when nothing of the user's is registered any more.
        #[arg(long, value_name = "SECONDS")]
        temporary: Option<u64>,
        /// Calls at one time.
        #[arg(long, value_name = "N")]
        max_calls: Option<u32>,
    },
    /// Changes a user who was made; what is not named stays. Calls go on.
    ChangeUser {
        /// The name: alice
        name: String,
        /// What others are shown: "Alice Ashton"
        #[arg(long)]
        display_name: Option<String>,
        /// Reads a new password from standard input, a line of it; the user has to register anew.
        #[arg(long)]
        password: bool,
        /// Ends the user after so many seconds from now, or when nothing of the user's is registered any more; 0: not.
        #[arg(long, value_name = "SECONDS")]
        temporary: Option<u64>,
        /// Calls at one time.
        #[arg(long, value_name = "N")]
        max_calls: Option<u32>,
    },
    /// Removes a user who was made. Calls go on.
    RemoveUser {
        /// The name: alice
        name: String,
    },
    /// Ends one call, or all in a room.
    #[command(group(clap::ArgGroup::new("whom").required(true)))]
    Kick {
        /// Its name in the status: call-3-7.
        #[arg(group = "whom")]
        call: Option<String>,
        /// The room, instead.
        #[arg(long, group = "whom")]
        room: Option<String>,
    },
    /// Mutes a call: nobody hears it, and it is told so.
    Mute {
        /// Its name in the status: call-3-7.
        call: String,
    },
    /// Lets a muted call be heard again.
    Unmute {
        /// Its name in the status: call-3-7.
        call: String,
    },
    /// Has all others hear a call louder than it is, or quieter.
    Gain {
        /// Its name in the status: call-3-7.
        call: String,
        /// By so many decibels, -40 to 20; 0 as it is.
        #[arg(allow_negative_numbers = true)]
        decibels: i8,
    },
    /// Says a text to a call, or to all in a room.
    #[command(group(clap::ArgGroup::new("hearer").required(true)))]
    Say {
        /// The words.
        text: String,
        /// The call's name in the status: call-3-7.
        #[arg(long, group = "hearer")]
        call: Option<String>,
        /// The room.
        #[arg(long, group = "hearer")]
        room: Option<String>,
    },
    /// Plays something to a call, or to all in a room.
    #[command(group(clap::ArgGroup::new("to").required(true)))]
    Play {
        /// The name of a prompt, the path of a sound file, or a URL (http or https).
        sound: String,
        /// The call's name in the status: call-3-7.
        #[arg(long, group = "to")]
        call: Option<String>,
        /// The room.
        #[arg(long, group = "to")]
        room: Option<String>,
    },
    /// Sends a text to a call, or to all in a room who take any: browsers and users.
    #[command(group(clap::ArgGroup::new("reader").required(true)))]
    Message {
        /// The text.
        text: String,
        /// The call's name in the status: call-3-7.
        #[arg(long, group = "reader")]
        call: Option<String>,
        /// The room.
        #[arg(long, group = "reader")]
        room: Option<String>,
    },
    /// Calls a number into a room, by the routes with from = "sessions", or a user, and tells how it goes.
    Dial {
        /// The room.
        #[arg(long)]
        room: String,
        /// Makes the room if it is neither in the dialplan nor open.
        #[arg(long)]
        create: bool,
        /// The number: +442079460123; or user:alice
        number: String,
        /// Lets the callee in at once. Voicemail and fax machines get in too.
        #[arg(long, conflicts_with = "confirm")]
        no_confirm: bool,
        /// Lets the callee in only after a 1 is keyed, whatever the route says.
        #[arg(long)]
        confirm: bool,
        /// Keys to press when it is answered, as for an extension: 123#
        #[arg(long)]
        digits: Option<String>,
    },
    /// Asks the other end of a call to call a number instead of us (REFER), where its trunk says refer = true.
    Transfer {
        /// The call's name in the status: call-3-7.
        call: String,
        /// The number: +442079460123
        number: String,
    },
    /// Puts a call on hold: its peer hears hold music and nobody hears it.
    Hold {
        /// The call's name in the status: call-3-7.
        call: String,
    },
    /// Resumes a call that was put on hold.
    Resume {
        /// The call's name in the status: call-3-7.
        call: String,
    },
    /// Reads the dialplan anew and tells what came of it. Exit status 1 if it has mistakes: then the old one stands.
    Reload,
    /// Shows the last events of calls, rooms, trunks and reloads, one per line.
    Events {
        /// Goes on with new events until it is stopped, or the gateway ends (exit status 1).
        #[arg(long, short)]
        follow: bool,
        /// How many of the last events to show; 256 are kept. 0 with --follow shows new ones only.
        #[arg(long, value_name = "N")]
        last: Option<usize>,
    },
    /// Says what is logged, or has more or less logged from now on.
    Log {
        /// error, warn, info, debug (with every SIP message), trace, off; or levels by module:
        /// info,partyline::net=debug
        level: Option<String>,
    },
    /// Takes no new calls and ends the gateway when the last one is over.
    Drain {
        /// Hangs up what is left after so many seconds.
        #[arg(long)]
        seconds: Option<u64>,
    },
}

impl CtlCommand {
    /// What is asked of the gateway.
    fn request(&self) -> Ask {
        Ask::Gateway(match self {
            Self::Reload => return Ask::Shell(ShellRequest::Reload),
            Self::Events { follow, last } => {
                return Ask::Shell(ShellRequest::Events { follow: *follow, last: *last });
            }
            Self::Log { level } => return Ask::Shell(ShellRequest::Log { level: level.clone() }),
            Self::Users => Request::Users,
            Self::AddUser { name, display_name, temporary, max_calls } => Request::AddUser(NewUser {
                name: name.clone(),
                display_name: display_name.clone(),
                password: read_password(),
                temporary: *temporary,
                max_calls: *max_calls,
            }),
            Self::ChangeUser { name, display_name, password, temporary, max_calls } => Request::ChangeUser {
                name: name.clone(),
                change: UserChange {
                    display_name: display_name.clone(),
                    password: password.then(read_password),
                    temporary: *temporary,
                    max_calls: *max_calls,
                },
            },
            Self::RemoveUser { name } => Request::RemoveUser { name: name.clone() },
            Self::Status | Self::Calls | Self::Rooms | Self::Trunks => Request::Status,
            Self::Kick { call: Some(call), .. } => Request::Kick { call: call.clone() },
            Self::Kick { call: None, room } => Request::KickRoom { room: room.clone().unwrap_or_default() },
            Self::Mute { call } => Request::Mute { call: call.clone(), muted: true },
            Self::Unmute { call } => Request::Mute { call: call.clone(), muted: false },
            Self::Gain { call, decibels } => Request::SetGain { call: call.clone(), decibels: *decibels },
            Self::Say { text, call, room } => {
                let to = call.clone().map_or_else(|| Audience::Room(room.clone().unwrap_or_default()), Audience::Call);
                Request::Say { to, text: text.clone() }
            }
            Self::Message { text, call, room } => {
                let to = call.clone().map_or_else(|| Audience::Room(room.clone().unwrap_or_default()), Audience::Call);
                Request::Message { to, text: text.clone() }
            }
            Self::Play { sound, call, room } => {
                let to = call.clone().map_or_else(|| Audience::Room(room.clone().unwrap_or_default()), Audience::Call);
                Request::Play { to, sound: as_seen_by_gateway(sound) }
            }
            Self::Dial { room, create, number, no_confirm, confirm, digits } => Request::Dial {
                room: room.clone(),
                number: number.clone(),
                confirm: if *no_confirm { Some(false) } else { confirm.then_some(true) },
                digits: digits.clone(),
                create: *create,
            },
            Self::Transfer { call, number } => Request::Transfer { call: call.clone(), number: number.clone() },
            Self::Hold { call } => Request::Hold { call: call.clone() },
            Self::Resume { call } => Request::Resume { call: call.clone() },
            Self::Drain { seconds } => Request::Drain { seconds: *seconds },
        })
    }
}

/// The first line of standard input: on a command line everybody would see it.
fn read_password() -> Password {
    let mut line = String::new();
    // What cannot be read is an empty password, which is refused.
    let _ = io::stdin().read_line(&mut line);
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Password::new(line)
}

/// A file's path as the gateway, in another folder, finds it; the name of a prompt and a URL as they are.
fn as_seen_by_gateway(sound: &str) -> String {
    let is_path = sound.contains(['/', '.']) && !sound.contains("://");
    let absolute = is_path.then(|| std::path::absolute(sound).ok()).flatten();
    absolute.map_or_else(|| sound.to_owned(), |path| path.display().to_string())
}

pub(super) fn ctl(arguments: &CtlArguments) -> ExitCode {
    let asked = match arguments.command.request() {
        Ask::Shell(request) => return shell::ask(arguments, request),
        Ask::Gateway(request) => ask(arguments, request),
    };
    match asked {
        Err(error) => no_answer(arguments, &error),
        Ok(reply) if arguments.json => reply_as_json(&arguments.command, &reply),
        Ok(Reply::Error(error)) => fail(&error),
        Ok(Reply::Progress(_)) => fail(&"the gateway ended in the middle of it"),
        Ok(Reply::Joined { call, .. }) => print(&format!("{call}\n"), ExitCode::SUCCESS),
        Ok(Reply::Done(done)) => print(&format!("{done}\n"), ExitCode::SUCCESS),
        Ok(Reply::Status(status)) => print(&table::status(&arguments.command, &status), ExitCode::SUCCESS),
        Ok(Reply::UserAdded(user) | Reply::UserChanged(user)) => print(&table::users(&[user]), ExitCode::SUCCESS),
        Ok(Reply::Users(users)) => print(&table::users(&users), ExitCode::SUCCESS),
        // No subcommand asks about invitations: their URLs are sealed by the HTTP server.
        Ok(Reply::Invited(_) | Reply::Invitations(_) | Reply::InvitationMade(_) | Reply::Admitted(_)) => {
            ExitCode::SUCCESS
        }
    }
}

fn no_answer(arguments: &CtlArguments, error: &io::Error) -> ExitCode {
    fail(&format_args!(
        "no gateway answers on {}: {error} (is it running, and is gateway.control this path?)",
        arguments.socket.display()
    ))
}

/// The part of the status that was asked for, or the reply as it came.
fn reply_as_json(command: &CtlCommand, reply: &Reply) -> ExitCode {
    let status =
        if matches!(reply, Reply::Error(_) | Reply::Progress(_)) { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    match (command, reply) {
        (CtlCommand::Calls, Reply::Status(of)) => print_json(&of.calls, status),
        (CtlCommand::Rooms, Reply::Status(of)) => print_json(&of.rooms, status),
        (CtlCommand::Trunks, Reply::Status(of)) => print_json(&of.trunks, status),
        (_, Reply::Status(of)) => print_json(of, status),
        (_, Reply::UserAdded(user) | Reply::UserChanged(user)) => print_json(user, status),
        (_, Reply::Users(users)) => print_json(users, status),
        (_, reply) => print_json(reply, status),
    }
}

fn ask(arguments: &CtlArguments, request: Request) -> io::Result<Reply> {
    let patience = match request {
        Request::Dial { .. } | Request::Transfer { .. } => CALL_PATIENCE,
        // Offers that cross are drawn lots for, and a peer may be slow.
        Request::Hold { .. } | Request::Resume { .. } => HOLD_PATIENCE,
        // As long as the dialplan may allow for fetching it.
        Request::Play { .. } => FETCH_PATIENCE,
        Request::Say { .. } => SAY_PATIENCE,
        _ => PATIENCE,
    };
    let mut answers = send(arguments, &Ask::Gateway(request), Some(patience))?;
    loop {
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        match serde_json::from_str(&answer)? {
            Reply::Progress(_) if arguments.json => say(answer.trim_end()),
            Reply::Progress(what) => say(what),
            reply => return Ok(reply),
        }
    }
}

/// Sends a request, and gives back where the answers come.
fn send(arguments: &CtlArguments, request: &Ask, patience: Option<Duration>) -> io::Result<BufReader<UnixStream>> {
    let mut stream = UnixStream::connect(&arguments.socket)?;
    stream.set_read_timeout(patience)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    Ok(BufReader::new(stream))
}
