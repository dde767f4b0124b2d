//! WebSockets: texts, and who hears whose sound.

use super::*;

/// A script with a call that was answered, in `call`, and a socket in `ws` that is being opened; a message is code.
fn with_socket() -> Running {
    let mut running = silent(
        "var call, conf, ws;
         VoxEngine.addEventListener(AppEvents.CallAlerting, (e) => {
             call = e.call;
             call.addEventListener(CallEvents.MessageReceived, (e) => (0, eval)(e.text));
             ws = VoxEngine.createWebSocket('wss://bot.example/echo', { protocols: 'a', headers: [{ name: 'X-A', value: 'b' }] });
             for (const name of Object.values(WebSocketEvents)) {
                 ws.addEventListener(name, ({ websocket, ...facts }) => Logger.write(websocket === ws && JSON.stringify(facts)));
             }
         })",
    );
    assert_eq!(running.tell(&incoming()), "ws1 open wss://bot.example/echo [\"a\"] X-A=b");
    assert_eq!(running.tell(&answered(CALL)), "");
    running
}

fn code(text: &str) -> Event {
    message(CALL, text)
}

impl Running {
    fn hear(&mut self, socket: u32, news: &SocketNews) -> String {
        short(&self.runtime.socket(self.now, socket, news))
    }

    /// What `Logger.write` shows of the event of some news.
    #[track_caller]
    fn news(&mut self, news: &SocketNews) -> serde_json::Value {
        let said = self.hear(1, news);
        let text: String = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        serde_json::from_str(&text).unwrap()
    }
}

fn closed() -> SocketNews {
    SocketNews::Closed { code: 1006, reason: "cut".into(), is_clean: false }
}

#[test]
fn events_have_the_fields_of_the_platform() {
    let mut running = with_socket();
    assert_eq!(running.tell(&code("Logger.write(ws.readyState + ws.url)")), "\"CONNECTINGwss://bot.example/echo\"");
    let named = |name: &str| serde_json::json!({ "name": format!("WebSocket.{name}") });
    assert_eq!(running.news(&SocketNews::Opened), named("OPEN"));
    let told = running.news(&SocketNews::Message("hi".into()));
    assert_eq!((&told["text"], &told["name"]), (&"hi".into(), &"WebSocket.MESSAGE".into()));
    let begun = SocketNews::MediaStarted { tag: "t".into(), encoding: "ULAW".into(), custom: "{\"a\":1}".into() };
    let told = running.news(&begun);
    assert_eq!(
        (&told["tag"], &told["encoding"], &told["customParameters"]["a"]),
        (&"t".into(), &"ULAW".into(), &1.into())
    );
    let told = running.news(&SocketNews::MediaEnded { tag: String::new(), milliseconds: 40 });
    assert_eq!((&told["tag"], &told["mediaInfo"]["duration"]), (&serde_json::Value::Null, &40.into()));
    assert_eq!(running.news(&SocketNews::Failed("why".into()))["reason"], "why");
    let told = running.news(&closed());
    assert_eq!((&told["code"], &told["reason"], &told["wasClean"]), (&1_006.into(), &"cut".into(), &false.into()));
    assert_eq!(running.hear(1, &SocketNews::Opened), "", "it is over");
    running.play(&[(
        code("Logger.write(ws.readyState); ws.send('x'); ws.close()"),
        "\"CLOSED\"; \"send: the WebSocket is closed\"",
    )]);
}

#[test]
fn callbacks_may_be_properties_too() {
    let mut running = with_socket();
    running.play(&[(code("ws.onmessage = (e) => Logger.write('by property ' + e.text)"), "")]);
    assert!(running.hear(1, &SocketNews::Message("x".into())).starts_with("\"by property x\""));
    running.play(&[(
        code(
            "for (const name of Object.values(WebSocketEvents)) ws.removeEventListener(name);
             for (const property of ['onopen', 'onmediastarted', 'onmediaended', 'onerror', 'onclose'])
                 ws[property] = function (e) { Logger.write([property, e.name, this === ws, ws.readyState]) }",
        ),
        "",
    )]);
    let begun = SocketNews::MediaStarted { tag: String::new(), encoding: "ULAW".into(), custom: String::new() };
    for (news, said) in [
        (SocketNews::Opened, "onopen,WebSocket.OPEN,true,OPEN"),
        (begun, "onmediastarted,WebSocket.MEDIA_STARTED,true,OPEN"),
        (
            SocketNews::MediaEnded { tag: String::new(), milliseconds: 40 },
            "onmediaended,WebSocket.MEDIA_ENDED,true,OPEN",
        ),
        (SocketNews::Failed("why".into()), "onerror,WebSocket.ERROR,true,OPEN"),
        (closed(), "onclose,WebSocket.CLOSE,true,CLOSED"),
    ] {
        assert_eq!(running.hear(1, &news), format!("{said:?}"));
    }
}

#[test]
fn texts_go_and_a_socket_is_closed_once() {
    with_socket().play(&[
        (code("ws.send('early')"), "ws1 send early"),
        (code("ws.close(); ws.close(); ws.send('late')"), "ws1 close; \"send: the WebSocket is closed\""),
    ]);
    let said = with_socket().tell(&code("ws.send({})"));
    assert!(said.starts_with("FAILED TypeError: send: this takes a text"), "{said}");
}

#[test]
fn a_conference_and_a_bot_hear_each_other() {
    with_socket().play(&[
        (code("conf = VoxEngine.createConference()"), "open room1"),
        (
            code("VoxEngine.sendMediaBetween(conf, ws)"),
            "open stream1 in; open stream2 out at 8000 less 1; room1>stream2; stream1>room1; ws1 hears stream1; ws1 tells stream2 PCM8",
        ),
        (code("ws.clearMediaBuffer()"), "ws1 clear"),
        (code("ws.clearMediaBuffer({ tag: 'a' })"), "ws1 clear a"),
        (code("ws.stopMediaTo(conf)"), "stream1|room1"),
        (code("conf.stop()"), "close stream2; close room1"),
    ]);
}

#[test]
fn a_call_that_hears_a_bot_hears_nothing_else() {
    with_socket().play(&[
        (code("ws.sendMediaTo(call)"), "open stream1 in; stream1>me; ws1 hears stream1"),
        (code("ws.sendMediaTo(call)"), ""),
        (code("call.say('a')"), "stream1|me; play1 me 'a'"),
        (code("ws.sendMediaTo(call)"), "stop1; stream1>me"),
        (code("conf = VoxEngine.createConference(); conf.sendMediaTo(call)"), "open room1; stream1|me; room1>me"),
        (code("ws.sendMediaTo(call)"), "room1|me; stream1>me"),
        (code("ws.sendMediaTo(call, { tag: 'b' })"), "stream1|me; open stream2 in; stream2>me; ws1 hears stream2 b"),
    ]);
}

#[test]
fn what_a_call_says_is_sent_as_it_is_asked_for_until_either_is_over() {
    let asks =
        "call.sendMediaTo(ws, { encoding: WebSocketAudioEncoding.PCM16_16KHZ, tag: 't', customParameters: { a: 1 } })";
    let opens = "open stream1 in; open stream2 out at 16000 less 1; me>stream2; ws1 hears stream1; ws1 tells stream2 PCM16 t {\"a\":1}";
    let mut running = with_socket();
    running.play(&[
        (code(asks), opens),
        (code("call.stopMediaTo(ws)"), "close stream2"),
        (
            code("call.sendMediaTo(ws, { encoding: WebSocketAudioEncoding.ULAW })"),
            "open stream3 out at 8000 less 1; me>stream3; ws1 tells stream3 ULAW",
        ),
        (ended(CALL), "close stream3"),
    ]);
    assert!(running.hear(1, &closed()).starts_with("close stream1; \"{"), "what is open of it ends with it");
    let mut running = with_socket();
    running.play(&[(code(asks), opens)]);
    assert!(running.hear(1, &closed()).starts_with("close stream1; close stream2; "));
    running
        .play(&[(code("call.sendMediaTo(ws); ws.sendMediaTo(call); ws.stopMediaTo(call); call.stopMediaTo(ws)"), "")]);
    let said = with_socket().tell(&code("call.sendMediaTo(ws, { encoding: 'MP3' })"));
    assert!(said.starts_with("FAILED RangeError: sendMediaTo: MP3 is no value of WebSocketAudioEncoding"), "{said}");
}

#[test]
fn more_sockets_than_a_session_may_have_do_not_open_and_are_said_not_to() {
    let mut running = with_socket();
    let opened = running.tell(&code("for (let n = 2; n <= 10; n++) VoxEngine.createWebSocket('ws://a')"));
    assert_eq!(opened.matches(" open ").count(), 9, "{opened}");
    running.play(&[(
        code(
            "const more = VoxEngine.createWebSocket('ws://a'); more.onerror = (e) => Logger.write(e.reason);
              more.addEventListener(WebSocketEvents.ERROR, (e) => Logger.write(e.reason));
              more.addEventListener(WebSocketEvents.CLOSE, (e) => Logger.write(more.readyState + e.code))",
        ),
        "\"more than 10 WebSockets at once\"; \"CLOSED1006\"",
    )]);
    running.hear(1, &closed());
    assert_eq!(running.tell(&code("VoxEngine.createWebSocket('ws://b')")), "ws12 open ws://b []");
}

#[test]
fn who_comes_to_the_sessions_address_is_taken_where_that_is_allowed() {
    let mut running = with_socket();
    assert_eq!(running.hear(1 << 31, &SocketNews::Came), "ws2147483648 close", "nobody waits for it");
    running.play(&[(
        code(
            "VoxEngine.allowWebSocketConnections(); VoxEngine.allowWebSocketConnections();
              VoxEngine.addEventListener(AppEvents.WebSocket, (e) => e.websocket.send('hello'))",
        ),
        "ws may come",
    )]);
    assert_eq!(running.hear((1 << 31) + 1, &SocketNews::Came), "ws2147483649 send hello");
}
