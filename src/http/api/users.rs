//! Users, and where they are registered.

use super::extract::{Json, Name};
use crate::dialplan::ApiRole;
use crate::gateway::{BindingStatus, NewUser, Password, Refusal, Reply, Request, Rule, UserChange, UserStatus};
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    /// The user part of the address, and the user name of the digest.
    #[schema(example = "anna")]
    name: String,
    /// What others are shown; empty for nothing.
    display_name: String,
    /// The user stands in the dialplan, and is changed there alone.
    in_dialplan: bool,
    /// Seconds until a temporary user ends.
    ends_in: Option<u64>,
    /// The only room that somebody who was invited may call.
    invited_to: Option<String>,
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
    fn from(user: UserStatus) -> Self {
        let UserStatus { user: name, display_name, in_dialplan, ends_in, invited_to, bindings } = user;
        let invited_to = Some(invited_to).filter(|room| !room.is_empty());
        let bindings = bindings.into_iter().map(Binding::from).collect();
        Self { name, display_name, in_dialplan, ends_in, invited_to, bindings }
    }
}

impl From<BindingStatus> for Binding {
    fn from(binding: BindingStatus) -> Self {
        let BindingStatus { contact, address, client, expires, .. } = binding;
        Self { contact, address, client, expires }
    }
}

/// A user who is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The user part of the address, and the user name of the digest.
    #[schema(example = "anna", pattern = "^[A-Za-z0-9_.+~-]{1,64}$")]
    name: String,
    /// What the user proves to know. Its hashes are kept, and it is not.
    #[schema(write_only, min_length = 1, max_length = 256)]
    password: String,
    /// What others are shown.
    #[serde(default)]
    #[schema(example = "Anna Ashton", max_length = 64)]
    display_name: String,
    /// The user ends after so many seconds, and before that a minute after nothing of the user's is registered any
    /// more. By default the user stays.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 2592000)]
    temporary: Option<u64>,
    /// Calls at one time; 4 by default.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    max_calls: Option<u32>,
}

/// What is to change of a user; what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// What others are shown; empty for nothing.
    #[serde(default)]
    #[schema(example = "Anna Ashton", max_length = 64)]
    display_name: Option<String>,
    /// What the user proves to know from now on. Where the user is registered ends: with the old one nobody is called.
    #[serde(default)]
    #[schema(write_only, min_length = 1, max_length = 256)]
    password: Option<String>,
    /// The user ends after so many seconds from now, or a minute after nothing of the user's is registered any more; 0:
    /// stays.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2592000)]
    temporary: Option<u64>,
    /// Calls at one time.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    max_calls: Option<u32>,
}

/// All users.
pub(in crate::http) async fn users(app: &App) -> Result<Vec<UserStatus>, Problem> {
    match app.ask(Request::Users).await? {
        Reply::Users(users) => Ok(users),
        _ => Err(Problem::unavailable("no-answer", "the gateway does not say who its users are")),
    }
}

/// The users, by name. For tokens that are good for all rooms.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = Vec<User>)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<axum::Json<Vec<User>>, Problem> {
    caller.must_have_all_rooms()?;
    Ok(axum::Json(users(&app).await?.into_iter().map(User::from).collect()))
}

/// Makes a user, who is there from now on, after a restart too. Role: admin.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", request_body = Wanted,
    responses((status = 201, body = User, headers(("Location" = String))))
)]
pub(super) async fn make(
    State(app): State<App>,
    caller: Caller,
    Json(Wanted { name, password, display_name, temporary, max_calls }): Json<Wanted>,
) -> Result<(StatusCode, HeaderMap, axum::Json<User>), Problem> {
    caller.must_be(ApiRole::Admin)?;
    let new = NewUser { name, display_name, password: Password::new(password), temporary, max_calls };
    match app.ask(Request::AddUser(new)).await? {
        Reply::UserAdded(user) => {
            let place = HeaderValue::from_str(&format!("/api/v1/users/{}", user.user));
            let place = place.map_err(|_| Problem::bad_request("the name"))?;
            Ok((StatusCode::CREATED, HeaderMap::from_iter([(header::LOCATION, place)]), axum::Json(user.into())))
        }
        _ => Err(Problem::unavailable("no-answer", "nothing is known of the user")),
    }
}

/// One user. For tokens that are good for all rooms.
#[utoipa::path(
    get, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path, max_length = 64)),
    responses((status = 200, body = User))
)]
pub(super) async fn get(State(app): State<App>, caller: Caller, Name(name): Name) -> Result<axum::Json<User>, Problem> {
    caller.must_have_all_rooms()?;
    let found = users(&app).await?.into_iter().find(|user| user.user == name);
    let found = found.ok_or_else(|| Refusal::new(Rule::NoSuchUser, format!("there is no user {name:?}")))?;
    Ok(axum::Json(found.into()))
}

/// Changes a user who was made; calls go on. Role: admin.
#[utoipa::path(
    patch, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path, max_length = 64)),
    request_body = Change, responses((status = 200, body = User))
)]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Name(name): Name,
    Json(Change { display_name, password, temporary, max_calls }): Json<Change>,
) -> Result<axum::Json<User>, Problem> {
    caller.must_be(ApiRole::Admin)?;
    let change = UserChange { display_name, password: password.map(Password::new), temporary, max_calls };
    match app.ask(Request::ChangeUser { name, change }).await? {
        Reply::UserChanged(user) => Ok(axum::Json(user.into())),
        _ => Err(Problem::unavailable("no-answer", "nothing is known of the user")),
    }
}

/// Removes a user who was made. Calls of the user's go on. Role: admin.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path, max_length = 64)),
    responses((status = 204, description = "The user is removed"))
)]
pub(super) async fn remove(State(app): State<App>, caller: Caller, Name(name): Name) -> Result<StatusCode, Problem> {
    caller.must_be(ApiRole::Admin)?;
    app.order(Request::RemoveUser { name }).await
}
