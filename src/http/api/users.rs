//! Users, and where they are registered.

use crate::gateway::{BindingStatus, Reply, Request, UserStatus};
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::problem::Problem;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    /// The user part of the address, and the user name of the digest.
    #[schema(example = "anna")]
    name: String,
    /// What others are shown; empty for nothing.
    display_name: String,
    /// Where the user is registered.
    bindings: Vec<Binding>,
}

/// One place where a user is registered.
#[derive(Debug, Serialize, ToSchema)]
struct Binding {
    /// Its Contact, as it was registered.
    contact: String,
    /// Where it is.
    #[schema(example = "wss:192.0.2.7:51234")]
    address: String,
    /// What its client calls itself; empty where it does not say.
    client: String,
    /// Seconds that it still holds.
    expires: u64,
}

impl From<UserStatus> for User {
    fn from(UserStatus { user, display_name, bindings, .. }: UserStatus) -> Self {
        Self { name: user, display_name, bindings: bindings.into_iter().map(Binding::from).collect() }
    }
}

impl From<BindingStatus> for Binding {
    fn from(BindingStatus { contact, address, client, expires }: BindingStatus) -> Self {
        Self { contact, address, client, expires }
    }
}

/// The users, by name. For tokens that are good for all rooms.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = Vec<User>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<axum::Json<Vec<User>>, Problem> {
    caller.must_have_all_rooms()?;
    match app.ask(Request::Users).await? {
        Reply::Users(users) => Ok(axum::Json(users.into_iter().map(User::from).collect())),
        _ => Err(Problem::unavailable("no-answer", "the gateway does not say who its users are")),
    }
}
