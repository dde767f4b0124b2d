//! What a gateway takes in, and what it gives out.

use super::{
    Audience, CallRecord, Event, Kept, LogLine, OpenedTransport, Query, Reply, Request, SessionId, StoredBinding,
    StoredRoom, StreamEnd, TransportKind,
};
use crate::dialplan::{Plan, Scenario, SoundSource, SoundUrl};
use crate::media::command::{Clip, Command, Event as MediaEvent, Pcm, StreamSample};
use crate::session;
use crate::sip::locate::Located;
use crate::sip::{self, Flow};
use crate::types::{CallId, IceCredentials, SrtpKeys, WebRtcPeer};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What the world tells the gateway.
#[derive(Debug)]
pub enum Input {
    /// A message or the end of a connection.
    Sip(sip::Input),
    /// The media plane reports.
    Media(MediaEvent),
    /// The transport asked for is open.
    TransportOpened {
        /// For which call.
        call: CallId,
        /// What was opened.
        opened: OpenedTransport,
    },
    /// The media ports asked for could not be opened.
    TransportRefused {
        /// For which call.
        call: CallId,
        /// Why, for the log.
        reason: String,
    },
    /// The answer to [`Output::ConnectTransport`]: its leg can be handed over.
    TransportConnected {
        /// For which call.
        call: CallId,
        /// Where its packets go.
        remote: SocketAddr,
        /// Under which keys.
        keys: Box<SrtpKeys>,
    },
    /// ICE has found another way for a transport that is connected.
    TransportMoved {
        /// For which call.
        call: CallId,
        /// Where its packets go from now on.
        remote: SocketAddr,
    },
    /// A transport that was to be connected is not, or is no more.
    TransportLost {
        /// For which call.
        call: CallId,
        /// Why.
        why: String,
    },
    /// The answer to [`Output::ResolveHost`].
    HostResolved {
        /// For which call.
        call: CallId,
        /// What it asked for.
        host: String,
        /// Its addresses, at least one; or why there are none.
        found: Result<Vec<IpAddr>, String>,
    },
    /// The answer to [`Output::Resolve`]: how to reach the trunk; nothing when it cannot be found.
    Resolved {
        /// The trunk's name.
        trunk: String,
        /// Flows to its servers.
        found: Located<Flow>,
    },
    /// An administrator asks.
    Control {
        /// Comes back with the reply.
        id: u64,
        /// What.
        request: Request,
    },
    /// The answer to [`Output::LoadSound`].
    SoundLoaded {
        /// As in the output.
        id: u64,
        /// As in the output.
        to: Audience,
        /// The sound, or why there is none.
        sound: Result<Clip, String>,
    },
    /// The answer to [`Output::StreamSound`].
    SoundStreamed {
        /// As in the output.
        id: u64,
        /// It is written to its player from now on, and is so long, if that is known; or why there is none.
        outcome: Result<Option<Duration>, String>,
    },
    /// A part of the answer to [`Output::Synthesize`].
    Sound {
        /// As in the output.
        id: u64,
        /// The next sentence, or why there is none; none follows then.
        sound: Result<Pcm, String>,
        /// It is the last one.
        is_last: bool,
    },
    /// The answer to [`Output::Query`].
    QueryDone {
        /// As in the output.
        id: u64,
        /// The answer, or why there is none.
        answer: Result<Kept, String>,
    },
    /// A scenario asks for something, of its own accord or in answer to an event. Ignored when its session is over.
    /// More than a thousand at once end it.
    Verbs {
        /// The session.
        session: SessionId,
        /// What, in order.
        verbs: Vec<session::Verb>,
    },
    /// A scenario broke a limit, threw or died: its session is ended, and its calls are hung up.
    SessionFailed {
        /// The session.
        session: SessionId,
        /// Why and where, for the log.
        cause: String,
    },
    /// The dialplan was read anew. Calls in progress keep theirs.
    Reload(Arc<Plan>),
}

/// What the gateway wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this message.
    Sip {
        /// Where to.
        flow: Flow,
        /// The message.
        bytes: Bytes,
        /// A connection for it that does not open soon counts as refused, as in
        /// [`sip::Output::Transmit`](crate::sip::Output).
        hurried: bool,
    },
    /// Hand this to the media plane; with [`Command::AddLeg`] go the sockets opened for that call.
    Media(Command),
    /// Open a transport on a local address; answered with [`Input::TransportOpened`] or [`Input::TransportRefused`].
    OpenTransport {
        /// For which call.
        call: CallId,
        /// Of which kind.
        kind: TransportKind,
        /// On which of our addresses.
        local: IpAddr,
    },
    /// Find the way to the peer by ICE, and agree with it on keys by DTLS; answered with [`Input::TransportConnected`]
    /// or [`Input::TransportLost`]. Where that has begun, or is done, ICE begins anew.
    ConnectTransport {
        /// For which call.
        call: CallId,
        /// What checks to us are signed with.
        ice: IceCredentials,
        /// The other side.
        peer: Box<WebRtcPeer>,
    },
    /// The ports opened for a call are not needed.
    CloseTransport {
        /// Which call.
        call: CallId,
    },
    /// Find a trunk's servers (RFC 3263); answered with [`Input::Resolved`].
    Resolve {
        /// The trunk's name.
        trunk: String,
    },
    /// Find the addresses of a host that a peer names for its media (`c=`, RFC 8866 section 5.7); answered with
    /// [`Input::HostResolved`].
    ResolveHost {
        /// For which call.
        call: CallId,
        /// The name, as the peer wrote it.
        host: String,
    },
    /// Read or fetch a sound for an administrator; answered with [`Input::SoundLoaded`].
    LoadSound {
        /// The request that it is for.
        id: u64,
        /// Who is to hear it.
        to: Audience,
        /// Where it is.
        source: SoundSource,
    },
    /// Fetch a sound for a player that waits for it; answered with [`Input::SoundStreamed`].
    StreamSound {
        /// Comes back with the answer.
        id: u64,
        /// Where it is.
        url: SoundUrl,
        /// Over and over.
        is_loop: bool,
        /// The player's, which is silent until it is written to and over when it is dropped. Of no use any more where
        /// it is abandoned.
        stream: rtrb::Producer<StreamSample>,
    },
    /// Have a text spoken; answered with [`Input::Sound`] for each sentence.
    Synthesize {
        /// Comes back with the sound.
        id: u64,
        /// The language it is in.
        language: String,
        /// The words.
        text: String,
        /// A caller waits for it: that goes before what an administrator has said.
        for_caller: bool,
    },
    /// Of a text that is being spoken so much more is heard, or about to be.
    SpeechHeard {
        /// As in [`Output::Synthesize`].
        id: u64,
        /// How much.
        length: Duration,
    },
    /// Nobody hears a text any more that is being spoken.
    CancelSpeech {
        /// As in [`Output::Synthesize`].
        id: u64,
    },
    /// Ask the database; answered with [`Input::QueryDone`], within seconds and if only with why not.
    Query {
        /// Comes back with the answer.
        id: u64,
        /// What.
        query: Query,
    },
    /// Keep these bindings of a user, in the place of all that were kept: when there is time, and only the newest.
    KeepBindings {
        /// Whose.
        user: String,
        /// Those that outlive a restart.
        bindings: Vec<StoredBinding>,
    },
    /// Start a scenario. Its first event, [`Started`](session::Event::Started), follows.
    StartSession {
        /// Names it from now on.
        session: SessionId,
        /// Its source, and what its route hands to it.
        scenario: Arc<Scenario>,
        /// The name of the route that leads to it.
        rule: String,
        /// The language that its callers are spoken to in.
        language: String,
    },
    /// Tell a scenario what happened; it answers with [`Input::Verbs`], if it wants anything.
    SessionEvent {
        /// The session.
        session: SessionId,
        /// What.
        event: session::Event,
    },
    /// A stream of a scenario's is open: this is the end that is not the media plane's. It is over when the other one
    /// is gone.
    StreamOpened {
        /// The session.
        session: SessionId,
        /// Which.
        stream: session::StreamHandle,
        /// What is written to, or read from.
        end: StreamEnd,
    },
    /// A scenario's session is over, by its own will or not: nothing it asks for counts any more.
    SessionOver {
        /// The session.
        session: SessionId,
        /// Why, in a few words.
        why: &'static str,
    },
    /// Keep this of a room, in the place of what was kept, or nothing: when there is time, and only the newest.
    KeepRoom {
        /// The room's name.
        name: String,
        /// What is kept of it.
        room: Option<StoredRoom>,
    },
    /// A call was answered: the record to be kept for it should the gateway not live to see its end. It tells of a call
    /// without talk, ended by [`Cause::GatewayStopped`](super::Cause::GatewayStopped).
    Answered(Box<CallRecord>),
    /// A call is over.
    Record(Box<CallRecord>),
    /// Write this to the log.
    Log(LogLine),
    /// Pass this on to programs that follow the gateway.
    Event(Event),
    /// Answer an administrator.
    Reply {
        /// As in the request.
        id: u64,
        /// The answer.
        reply: Reply,
    },
    /// A drain that was asked for is complete: no call is left.
    Drained,
}
