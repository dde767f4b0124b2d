//! What is kept comes back, from SQLite; `tests/loopback` has PostgreSQL.

use super::*;
use crate::dialplan::{Pin, Secret};
use crate::gateway::{
    InvitedTo, StorageAnswer, StorageRequest, Stored, StoredInvitation, StoredKey, StoredSettings, StoredText,
    StoredUser,
};
use crate::types::Disturbances;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(super) fn binding() -> StoredBinding {
    StoredBinding {
        user: "alice".into(),
        contact: "sip:alice@192.0.2.9:5060".into(),
        q: 500,
        instance: Some("<urn:uuid:1>".into()),
        reg_id: Some(2),
        call_id: "a".into(),
        cseq: 7,
        user_agent: None,
        transport: "UDP".into(),
        local: "192.0.2.1:5060".parse().unwrap(),
        remote: "192.0.2.9:5060".parse().unwrap(),
        expires: at(1_790_000_600),
    }
}

fn user(name: &str) -> StoredUser {
    StoredUser {
        name: name.into(),
        display_name: Some("Alice \"A\" Ashton'; --".into()),
        keys: ["MD5", "SHA-256"]
            .map(|algorithm| StoredKey {
                realm: "partyline".into(),
                algorithm: algorithm.into(),
                ha1: Secret::new("ab12".into()),
            })
            .to_vec(),
        max_calls: 4,
        created: at(1_790_000_000),
        temporary_until: None,
        invited_to: None,
    }
}

/// A folder that is there as long as the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("partyline-store-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn store(&self, file: &str) -> Desk {
        Desk::at(&self.0.join(file))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Desk {
    store: Store,
    answers: mpsc::Receiver<Answered>,
}

impl Desk {
    fn at(path: &Path) -> Self {
        let (tell, answers) = mpsc::channel(16);
        Self { store: Store::start(&Database::Sqlite(path.to_owned()), tell).unwrap(), answers }
    }

    fn ask(&mut self, query: Query) -> Result<Kept, String> {
        self.store.ask(3, query).unwrap();
        let (id, answer) = self.answers.blocking_recv().unwrap();
        assert_eq!(id, 3);
        answer
    }

    fn load(&mut self) -> (Vec<StoredUser>, Vec<StoredBinding>) {
        let Stored { users, bindings, .. } = self.load_all();
        (users, bindings)
    }

    fn load_all(&mut self) -> Stored {
        match self.ask(Query::Load).unwrap() {
            Kept::Loaded(stored) => stored,
            Kept::Done | Kept::Text(_) => panic!(),
        }
    }

    fn flush(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.store.flush(Duration::from_secs(10)));
    }
}

#[test]
fn users_and_bindings_come_back_from_the_file() {
    let folder = Folder::new("back");
    let temporary = StoredUser { temporary_until: Some(at(1_790_003_600)), keys: Vec::new(), ..user("bob") };
    {
        let mut desk = folder.store("deep/in/users.db");
        assert_eq!(desk.load(), (Vec::new(), Vec::new()));
        assert_eq!(desk.ask(Query::AddUser(user("alice"))), Ok(Kept::Done));
        assert_eq!(desk.ask(Query::AddUser(temporary.clone())), Ok(Kept::Done));
        assert!(desk.ask(Query::AddUser(user("alice"))).is_err(), "there is one of that name");
        desk.store.keep_bindings("alice".into(), vec![binding(), StoredBinding { cseq: 8, ..binding() }]);
        desk.store.keep_bindings("alice".into(), vec![binding()]);
        desk.flush();
    }
    let mut desk = folder.store("deep/in/users.db");
    assert_eq!(desk.load(), (vec![user("alice"), temporary], vec![binding()]));
    assert_eq!(desk.ask(Query::RemoveUser { name: "alice".into() }), Ok(Kept::Done));
    let (users, bindings) = desk.load();
    assert_eq!((users.len(), bindings.len()), (1, 0));
}

#[test]
fn a_user_who_is_changed_comes_back_so_with_new_keys_alone() {
    let folder = Folder::new("changed");
    let mut desk = folder.store("users.db");
    assert_eq!(desk.ask(Query::AddUser(user("alice"))), Ok(Kept::Done));
    assert_eq!(desk.ask(Query::AddUser(user("bob"))), Ok(Kept::Done));
    let key = StoredKey { realm: "partyline".into(), algorithm: "MD5".into(), ha1: Secret::new("cd34".into()) };
    let changed = StoredUser {
        display_name: None,
        keys: vec![key],
        max_calls: 1,
        temporary_until: Some(at(1_790_003_600)),
        ..user("alice")
    };
    assert_eq!(desk.ask(Query::ChangeUser(changed.clone())), Ok(Kept::Done));
    assert_eq!(desk.load().0, [changed, user("bob")]);
    // A key without its user would be refused: nothing comes of it.
    assert!(desk.ask(Query::ChangeUser(user("nobody"))).is_err());
    assert_eq!(desk.load().0.len(), 2);
}

#[test]
fn invitations_come_back_with_who_came_by_them_and_go_after_their_end() {
    let folder = Folder::new("invitations");
    let invitation = |id: &str, hours: u64| StoredInvitation {
        id: id.into(),
        room: "the board".into(),
        name: "Anna \"A\" Ashton'; --".into(),
        host: true,
        created: at(1_790_000_000),
        until: at(1_790_000_000 + hours * 3_600),
        revoked: false,
    };
    let to = InvitedTo { invitation: "b".into(), room: "the board".into() };
    let guest = StoredUser { invited_to: Some(to), ..user("guest") };
    {
        let mut desk = folder.store("users.db");
        assert_eq!(desk.ask(Query::AddInvitation(invitation("a", 1))), Ok(Kept::Done));
        assert_eq!(desk.ask(Query::AddInvitation(invitation("b", 3))), Ok(Kept::Done));
        assert_eq!(desk.ask(Query::RevokeInvitation { id: "b".into() }), Ok(Kept::Done));
        assert_eq!(desk.ask(Query::AddUser(guest.clone())), Ok(Kept::Done));
    }
    let mut desk = folder.store("users.db");
    let revoked = StoredInvitation { revoked: true, ..invitation("b", 3) };
    let stored = desk.load_all();
    assert_eq!((stored.users, stored.invitations), (vec![guest], vec![invitation("a", 1), revoked.clone()]));
    let later = StoredInvitation { created: at(1_790_000_000 + 2 * 3_600), ..invitation("c", 9) };
    assert_eq!(desk.ask(Query::AddInvitation(later.clone())), Ok(Kept::Done));
    assert_eq!(desk.load_all().invitations, [revoked, later]);
}

#[test]
fn rooms_come_back_with_their_pins_and_locks_from_a_file_that_is_nobody_elses() {
    let folder = Folder::new("rooms");
    let room = |name: &str, made: Option<StoredSettings>, locked| StoredRoom { name: name.into(), made, locked };
    let mute = Disturbances::named("echo, music");
    let settings =
        StoredSettings { pin: Pin::new("0482917"), host_pin: Pin::new("775310"), max_members: Some(5), mute };
    let board = room("the board'; --", Some(settings), false);
    let plain = room("plain", Some(StoredSettings::default()), true);
    let locked = room("lobby", None, true);
    let path = folder.0.join("rooms.db");
    {
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let desk = folder.store("rooms.db");
        for one in [&board, &plain, &locked, &room("gone", None, true)] {
            desk.store.keep_room(one.name.clone(), Some(one.clone()));
        }
        desk.flush();
        desk.store.keep_room("gone".into(), None);
        desk.flush();
        let wal = path.with_extension("db-wal");
        for path in [&path, &wal] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
    }
    let mut rooms = folder.store("rooms.db").load_all().rooms;
    rooms.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!format!("{rooms:?}").contains("482917"));
    assert_eq!(rooms, [locked, plain, board]);
}

#[test]
fn a_database_that_cannot_be_opened_says_why_and_is_tried_again() {
    let folder = Folder::new("shut");
    std::fs::write(folder.0.join("file"), "").unwrap();
    let path = folder.0.join("file/users.db");
    let mut desk = Desk::at(&path);
    assert!(desk.ask(Query::Load).is_err());
    std::fs::remove_file(folder.0.join("file")).unwrap();
    assert!(desk.ask(Query::Load).is_ok());
}

#[test]
fn neither_question_nor_answer_shows_a_key() {
    let text = format!("{:?}", Query::AddUser(user("alice")));
    assert!(!text.contains("ab12"), "{text}");
}

#[test]
fn texts_of_scenarios_are_kept_for_their_time_and_replaced_and_found_by_name() {
    let folder = Folder::new("texts");
    let put = |key: &str, value: &str, seconds| StorageRequest::Put {
        key: key.into(),
        value: value.into(),
        keep: Duration::from_secs(seconds),
    };
    let get = |key: &str| StorageRequest::Get { key: key.into() };
    fn ask(desk: &mut Desk, request: StorageRequest) -> StorageAnswer {
        match desk.ask(Query::Text(request)) {
            Ok(Kept::Text(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }
    let value = |answer| match answer {
        StorageAnswer::Text(text) => text.map(|text: StoredText| text.value),
        other => panic!("{other:?}"),
    };
    {
        let mut desk = folder.store("users.db");
        assert_eq!(value(ask(&mut desk, get("a"))), None);
        for (key, text) in [("a", "1"), ("room-2", "it's; --"), ("room-1", ""), ("a", "2")] {
            assert_eq!(value(ask(&mut desk, put(key, text, 3_600))).as_deref(), Some(text));
        }
        ask(&mut desk, put("over", "x", 0));
    }
    let mut desk = folder.store("users.db");
    assert_eq!(value(ask(&mut desk, get("a"))).as_deref(), Some("2"));
    assert_eq!(value(ask(&mut desk, get("room-2"))).as_deref(), Some("it's; --"));
    assert_eq!(value(ask(&mut desk, get("over"))), None, "its time is over");
    let keys = |pattern: &str| StorageRequest::Keys { pattern: pattern.into() };
    assert_eq!(ask(&mut desk, keys("room-*")), StorageAnswer::Keys(vec!["room-1".into(), "room-2".into()]));
    let StorageAnswer::Text(Some(gone)) = ask(&mut desk, StorageRequest::Remove { key: "a".into() }) else { panic!() };
    assert_eq!(gone.value, "2");
    assert!(gone.until > SystemTime::now() + Duration::from_secs(3_000));
    assert_eq!(value(ask(&mut desk, StorageRequest::Remove { key: "a".into() })), None);
    assert_eq!(ask(&mut desk, keys("*")), StorageAnswer::Keys(vec!["room-1".into(), "room-2".into()]));
}
