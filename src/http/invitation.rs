//! What an invitation's URL holds: what was said when it was made, under a seal (HMAC-SHA-256, RFC 2104) that we alone
//! can make. Its key is 256 bits in a file of the data folder, made when there is none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::ZeroizeOnDrop;

/// Name of the key's file.
const FILE: &str = "invitations.key";
/// Octets of the key.
const LENGTH: usize = 32;
/// Octets of the longest token.
const LONGEST: usize = 1_024;
/// What is sealed begins with this, so that a seal of ours for anything else would be none here.
const PURPOSE: &[u8] = b"partyline invitation 1\n";

/// What an invitation says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) id: String,
    /// The room's name.
    pub(super) room: String,
    /// Whom it is for.
    pub(super) name: String,
    /// Whether the room's host is invited.
    pub(super) host: bool,
    /// When it ends, in seconds since 1970.
    pub(super) until: u64,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[error("the key of invitations, {path}: {source}", path = path.display())]
pub struct KeyError {
    path: PathBuf,
    source: io::Error,
}

/// What invitations are sealed with. Debug shows nothing of it.
#[derive(ZeroizeOnDrop)]
pub(super) struct InvitationKey([u8; LENGTH]);

impl InvitationKey {
    /// The key in that folder, made anew where there is none.
    pub(super) fn load(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(FILE);
        let key = match File::open(&path) {
            Ok(file) => read(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &path),
            Err(error) => Err(error),
        };
        key.map_err(|source| KeyError { path, source })
    }

    fn mac(&self, payload: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("any length is a key");
        mac.update(PURPOSE);
        mac.update(payload.as_bytes());
        mac
    }

    /// A token that says this.
    pub(super) fn seal(&self, claims: &Claims) -> String {
        // Strings and numbers: it cannot fail.
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
        let seal = URL_SAFE_NO_PAD.encode(self.mac(&payload).finalize().into_bytes());
        format!("{payload}.{seal}")
    }

    /// What a token of ours says; `None`: it is none, or was altered. Compared in constant time.
    pub(super) fn open(&self, token: &str) -> Option<Claims> {
        let (payload, seal) = token.split_once('.').filter(|_| token.len() <= LONGEST)?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        self.mac(payload).verify_slice(&seal).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

fn read(mut file: File) -> io::Result<InvitationKey> {
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        tracing::warn!("{FILE} could be read by others; it cannot any more. Take it away to void all invitations");
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    let mut key = InvitationKey([0; LENGTH]);
    let mut rest = [0; 1];
    let is_whole = file.read_exact(&mut key.0).is_ok() && file.read(&mut rest)? == 0;
    let why = "it is not 32 octets long; take it away and another one is made, which voids all invitations";
    if is_whole { Ok(key) } else { Err(io::Error::new(io::ErrorKind::InvalidData, why)) }
}

fn make(folder: &Path, path: &Path) -> io::Result<InvitationKey> {
    std::fs::create_dir_all(folder)?;
    let mut key = InvitationKey([0; LENGTH]);
    OsRng.try_fill_bytes(&mut key.0).map_err(io::Error::other)?;
    // Whole or not there, whatever happens meanwhile.
    let unfinished = path.with_extension("key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(&key.0)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("partyline-invitations-{}-{name}", std::process::id()));
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn claims() -> Claims {
        let (room, name) = ("the board".to_owned(), "Änna \"A\" Ashton".to_owned());
        Claims { id: "0123456789abcdef".into(), room, name, host: false, until: 1_790_000_000 }
    }

    #[test]
    fn a_token_says_what_was_sealed_and_nothing_else_is_one() {
        let (key, other) = (InvitationKey([7; LENGTH]), InvitationKey([8; LENGTH]));
        let token = key.seal(&claims());
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{token}");
        assert_eq!(key.open(&token), Some(claims()));
        assert_eq!(other.open(&token), None);
        // Any other character in any place.
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_ne!(key.open(&altered), Some(claims()), "{altered}");
            assert!(key.open(&altered).is_none(), "{altered}");
        }
        let (payload, seal) = token.split_once('.').unwrap();
        let hosts = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Claims { host: true, ..claims() }).unwrap());
        for wrong in
            [String::new(), ".".into(), payload.into(), format!("{payload}."), format!("{hosts}.{seal}"), "é.é".into()]
        {
            assert_eq!(key.open(&wrong), None, "{wrong}");
        }
        assert_eq!(key.open(&format!("{payload}{}.{seal}", "A".repeat(LONGEST))), None);
    }

    #[test]
    fn the_key_is_made_once_and_read_by_nobody_else() {
        let folder = Folder::new("key");
        let token = InvitationKey::load(&folder.0).unwrap().seal(&claims());
        let path = folder.0.join(FILE);
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!((std::fs::read(&path).unwrap().len(), mode()), (LENGTH, 0o600));
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(InvitationKey::load(&folder.0).unwrap().open(&token), Some(claims()));
        assert_eq!(mode(), 0o600);
        std::fs::write(&path, [0; LENGTH - 1]).unwrap();
        let torn = InvitationKey::load(&folder.0).err().unwrap().to_string();
        assert!(torn.contains("invitations.key") && torn.contains("32 octets"), "{torn}");
    }
}
