//! `partyline ctl`: asks a running gateway over its control socket.

use super::{fail, print, print_json};
use crate::gateway::{Reply, Request, Status};
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

#[derive(Debug, Args)]
pub(super) struct CtlArguments {
    /// The gateway's control socket: gateway.control of its dialplan.
    #[arg(long, value_name = "PATH", default_value = "var/partyline.sock")]
    socket: PathBuf,
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Calls, rooms and trunks.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends one call.
    Kick {
        /// Its name in the status: call-7.
        call: String,
    },
    /// Calls a number into a room, by the routes with from = "sessions", and tells how it goes.
    Dial {
        /// The room.
        #[arg(long)]
        room: String,
        /// The number: +442079460123
        number: String,
        /// Lets the called one in at once. Voicemail and fax machines get in too.
        #[arg(long, conflicts_with = "confirm")]
        no_confirm: bool,
        /// Lets the called one in only after a 1 is keyed, whatever the route says.
        #[arg(long)]
        confirm: bool,
        /// Keys to press when it is answered, as for an extension: 123#
        #[arg(long)]
        digits: Option<String>,
    },
    /// Asks the other end of a call to call a number instead of us (REFER), where its trunk says refer = true.
    Transfer {
        /// The call's name in the status: call-7.
        call: String,
        /// The number: +442079460123
        number: String,
    },
    /// Puts a call on hold: its peer hears a tune and nobody hears it.
    Hold {
        /// The call's name in the status: call-7.
        call: String,
    },
    /// Takes a call back that was put on hold.
    Resume {
        /// The call's name in the status: call-7.
        call: String,
    },
    /// Takes no new calls and ends the gateway when the last one is over.
    Drain {
        /// Hangs up what is left after so many seconds.
        #[arg(long)]
        seconds: Option<u64>,
    },
}

pub(super) fn ctl(arguments: &CtlArguments) -> ExitCode {
    let (request, as_json) = match &arguments.command {
        CtlCommand::Status { json } => (Request::Status, *json),
        CtlCommand::Kick { call } => (Request::Kick { call: call.clone() }, false),
        CtlCommand::Dial { room, number, no_confirm, confirm, digits } => {
            let confirm = if *no_confirm { Some(false) } else { confirm.then_some(true) };
            let (room, number, digits) = (room.clone(), number.clone(), digits.clone());
            (Request::Dial { room, number, confirm, digits }, false)
        }
        CtlCommand::Transfer { call, number } => {
            (Request::Transfer { call: call.clone(), number: number.clone() }, false)
        }
        CtlCommand::Hold { call } => (Request::Hold { call: call.clone() }, false),
        CtlCommand::Resume { call } => (Request::Resume { call: call.clone() }, false),
        CtlCommand::Drain { seconds } => (Request::Drain { seconds: *seconds }, false),
    };
    match ask(arguments, &request) {
        Err(error) => fail(&format_args!(
            "no gateway answers on {}: {error} (is it running, and is gateway.control this path?)",
            arguments.socket.display()
        )),
        Ok(Reply::Error(error)) => fail(&error),
        Ok(Reply::Progress(_)) => fail(&"the gateway ended in the middle of it"),
        Ok(Reply::Done(done)) => print(&format!("{done}\n"), ExitCode::SUCCESS),
        Ok(Reply::Status(status)) if as_json => print_json(&status, ExitCode::SUCCESS),
        Ok(Reply::Status(status)) => print(&table(&status), ExitCode::SUCCESS),
    }
}

fn ask(arguments: &CtlArguments, request: &Request) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(&arguments.socket)?;
    let patience = match request {
        Request::Dial { .. } | Request::Transfer { .. } => CALL_PATIENCE,
        // Offers that cross are drawn lots for, and a peer may be slow.
        Request::Hold { .. } | Request::Resume { .. } => HOLD_PATIENCE,
        _ => PATIENCE,
    };
    stream.set_read_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answers = BufReader::new(stream);
    loop {
        let mut answer = String::new();
        answers.read_line(&mut answer)?;
        match serde_json::from_str(&answer)? {
            Reply::Progress(what) => writeln!(io::stdout(), "{what}")?,
            reply => return Ok(reply),
        }
    }
}

fn table(status: &Status) -> String {
    let mut text = String::new();
    if status.draining {
        text.push_str("draining: new calls are refused\n");
    }
    if status.pins_slowed {
        text.push_str("PIN checks are slowed down: too many wrong PINs in the last hour\n");
    }
    text.push_str("TRUNK            STATE        THERE  CALLS  SERVER\n");
    for trunk in &status.trunks {
        let trouble = if trunk.trouble.is_empty() { String::new() } else { format!(" ({})", trunk.trouble) };
        let server = if trunk.server.is_empty() { "-" } else { &trunk.server };
        text.push_str(&format!(
            "{:<16} {:<12} {:<5} {:>6}  {server}{trouble}\n",
            trunk.trunk, trunk.state, trunk.presence, trunk.calls
        ));
    }
    text.push_str(&format!("\n{} requests from unknown addresses dropped\n", status.strangers));
    text.push_str("\nCALL       FROM             TO               STATE            SECONDS  ROOM\n");
    for call in &status.calls {
        let state = match (call.held, call.on_hold, call.muted) {
            (true, ..) => "held by us",
            (_, true, _) => "on hold",
            (.., true) => "muted",
            _ => &call.state,
        };
        text.push_str(&format!(
            "{:<10} {:<16} {:<16} {:<16} {:>7}  {}\n",
            call.call,
            call.from,
            call.number,
            state,
            call.seconds,
            call.rooms.join(", ")
        ));
    }
    text.push_str("\nROOM             CALLS\n");
    for room in &status.rooms {
        text.push_str(&format!("{:<16} {}\n", room.room, room.calls.join(", ")));
    }
    text
}
