//! `/api/v1`: rooms, calls, records, the gateway itself. The OpenAPI description is made of the handlers.

mod calls;
mod gateway;
mod ice;
mod invitations;
mod page;
mod platform;
mod records;
mod rooms;
pub(super) mod users;

use super::access::Caller;
use super::app::App;
use super::pages::{for_pages, may_ask};
use super::problem::ProblemDetails;
use super::{events, extract};
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::options;
use serde::{Deserialize, Serialize};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder,
    SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How each request may be refused, beside what its own description says.
const REFUSALS: [(&str, &str); 12] = [
    ("400", "The request cannot be read"),
    ("401", "There is no token, or it is none of ours"),
    ("403", "The token, or the dialplan, does not allow it"),
    ("404", "There is no such thing"),
    ("408", "The body came too slowly"),
    ("409", "Not as things stand now"),
    ("410", "It has ended, or was taken back"),
    ("413", "The body is too long"),
    ("415", "The body is no JSON"),
    ("422", "The body is JSON, and not what is asked for"),
    ("429", "Too many requests"),
    ("503", "The gateway is ending, or does not answer"),
];

/// All routes, with their description.
pub(super) fn routes(app: &App) -> Router<App> {
    // Pages of other hosts may ask here, as at WHIP.
    let join = OpenApiRouter::new()
        .routes(routes!(invitations::look, invitations::join))
        .layer(axum::middleware::from_fn_with_state(app.clone(), for_pages));
    let (router, api) = OpenApiRouter::with_openapi(description())
        .routes(routes!(gateway::status))
        .routes(routes!(gateway::drain))
        .routes(routes!(ice::servers))
        .routes(routes!(rooms::list, rooms::make))
        .routes(routes!(rooms::get, rooms::change, rooms::unmake))
        .routes(routes!(rooms::lock))
        .routes(routes!(rooms::participants, rooms::hang_up))
        .routes(routes!(rooms::dial))
        .routes(routes!(rooms::play))
        .routes(routes!(rooms::say))
        .routes(routes!(rooms::message))
        .routes(routes!(calls::list))
        .routes(routes!(calls::get, calls::hang_up))
        .routes(routes!(calls::mute))
        .routes(routes!(calls::gain))
        .routes(routes!(calls::hold))
        .routes(routes!(calls::move_to))
        .routes(routes!(calls::digits))
        .routes(routes!(calls::play))
        .routes(routes!(calls::say))
        .routes(routes!(calls::message))
        .routes(routes!(calls::transfer))
        .routes(routes!(records::list))
        .routes(routes!(users::list, users::make))
        .routes(routes!(users::get, users::change, users::remove))
        .routes(routes!(invitations::list, invitations::make))
        .routes(routes!(invitations::revoke))
        .routes(routes!(events::stream))
        .merge(join)
        .split_for_parts();
    let described = page::routes(with_refusals(api));
    let asked_before = Router::new().route("/join/{room}/{invitation}", options(may_ask));
    let asked_before = asked_before.layer(axum::middleware::from_fn_with_state(app.clone(), for_pages));
    let router = router.merge(asked_before).merge(platform::routes()).layer(axum::middleware::from_fn(audit));
    router.merge(events::routes()).merge(described)
}

fn description() -> OpenApi {
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let info = InfoBuilder::new().title("Partyline").version(env!("CARGO_PKG_VERSION")).description(Some(
        "Rooms and calls of a telephony conference gateway. Tokens and their roles stand in its dialplan.",
    ));
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("token", token)
                .schema(ProblemDetails::name(), ProblemDetails::schema())
                .build(),
        ))
        .security(Some([SecurityRequirement::new::<_, [String; 0], String>("token", [])]))
        .build()
}

/// Says of every operation how it may be refused.
fn with_refusals(mut api: OpenApi) -> OpenApi {
    let content = || {
        let schema = RefOr::Ref(Ref::from_schema_name(ProblemDetails::name()));
        ContentBuilder::new().schema(Some(schema)).build()
    };
    for item in api.paths.paths.values_mut() {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in [get, put, post, delete, patch].into_iter().flatten() {
            // Unique, as OpenAPI wants it: `rooms_list`.
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
            for (status, what) in REFUSALS {
                let refusal = ResponseBuilder::new().description(what).content("application/problem+json", content());
                operation.responses.responses.entry(status.into()).or_insert_with(|| refusal.build().into());
            }
        }
    }
    api
}

/// Says in the log who changes what: the token's name, and the route without the names in it.
async fn audit(request: Request, next: Next) -> Response {
    let caller = match request.extensions().get() {
        Some(super::access::Credentials::Known(Caller { name, .. })) if request.method() != Method::GET => name.clone(),
        _ => return next.run(request).await,
    };
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let response = next.run(request).await.into_response();
    tracing::info!("API: {caller}: {method} {path}: {}", response.status().as_u16());
    response
}

/// A prompt or a URL that is to be played.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sound {
    /// The name of a prompt, or a URL (http or https) of a sound.
    #[schema(example = "goodbye", pattern = "^([a-z0-9-]{1,64}|https?://\\S+)$", max_length = 2000)]
    sound: String,
}

impl Sound {
    /// Files of the gateway's machine are for its administrator alone.
    fn checked(self) -> Result<String, super::problem::Problem> {
        let is_prompt = |text: &str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        let is_url = self.sound.starts_with("http://") || self.sound.starts_with("https://");
        if is_prompt(&self.sound) || (is_url && self.sound.len() <= 2_000) {
            return Ok(self.sound);
        }
        let why = "a sound is the name of a prompt, or a URL that begins with http:// or https://";
        Err(crate::gateway::Refusal::new(crate::gateway::Rule::NoSuchSound, why).into())
    }
}

/// A text that is to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Text {
    /// The words.
    #[schema(example = "The conference ends in five minutes.", min_length = 1, max_length = 2000)]
    text: String,
}

impl Text {
    fn checked(self) -> Result<String, super::problem::Problem> {
        let length = self.text.chars().count();
        if (1..=2_000).contains(&length) && !self.text.chars().all(char::is_whitespace) {
            return Ok(self.text);
        }
        let why = "a text is 1 to 2000 characters";
        Err(crate::gateway::Refusal::new(crate::gateway::Rule::Invalid, why).into())
    }
}

/// A text that is to be read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Message {
    /// The text, at most 8 KiB of UTF-8.
    #[schema(example = "The slides are at example.com.", min_length = 1, max_length = 8192)]
    text: String,
}

/// A call that was begun.
#[derive(Debug, Serialize, ToSchema)]
struct Placed {
    /// Its name.
    #[schema(example = "call-3-7")]
    call: String,
}
