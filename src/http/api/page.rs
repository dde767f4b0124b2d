//! The API's description, and a page to try it. The page is ours: bundles of Swagger and the like are fetched while
//! building, or are a megabyte of JavaScript.

use crate::gateway::Rule;
use crate::http::app::App;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{Router, get};
use std::fmt::Write;
use utoipa::openapi::OpenApi;

/// What the page may do: run itself, and ask us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

const PAGE: &str = include_str!("page/page.html");
const SCRIPT: &str = include_str!("page/page.js");
const STYLE: &str = include_str!("page/page.css");
const ASYNCAPI: &str = include_str!("../../../docs/asyncapi.yaml");

pub(super) fn routes(api: OpenApi) -> Router<App> {
    // Strings, lists and maps: it cannot fail.
    let api = serde_json::to_vec(&api).unwrap_or_default();
    let of = |kind: &'static str, text: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, kind)], text).into_response())
    };
    Router::new()
        .route("/api", get(async || Redirect::permanent("/api/")))
        .route("/api/", get(async || ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))))
        .route("/api/page.js", of("text/javascript; charset=utf-8", SCRIPT))
        .route("/api/page.css", of("text/css; charset=utf-8", STYLE))
        .route("/api/openapi.json", get(async move || ([(header::CONTENT_TYPE, "application/json")], api.clone())))
        .route("/api/asyncapi.yaml", of("application/yaml", ASYNCAPI))
        .route("/api/problems", get(async || ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(problems()))))
}

/// What the `type` of problem details leads to.
fn problems() -> String {
    let own = [
        ("unauthorized", "There is no token, or it is none of ours."),
        ("role", "The token's role is too low."),
        ("room", "The token is not good for this room."),
        ("all-rooms", "This takes a token that is good for all rooms."),
        ("invitation-altered", "The invitation is none of ours, or was altered."),
        ("invitation-room", "The invitation is to another room."),
        ("foreign-origin", "Pages of this origin may open no WebSockets here."),
        ("no-websocket", "This path is for WebSockets."),
        ("bad-request", "The request cannot be read."),
        ("no-json", "The body is no JSON, or does not say so."),
        ("not-found", "There is nothing at this path."),
        ("method-not-allowed", "This path has other methods."),
        ("too-large", "The body is too long."),
        ("slow-body", "The body came too slowly."),
        ("too-many-requests", "Too many requests, or wrong tokens; Retry-After says when to come back."),
        ("too-many-followers", "Too many follow the events already."),
        ("ending", "The gateway is ending."),
        ("no-answer", "The gateway, a session, or somebody it asked, does not answer."),
        ("no-records", "The call records cannot be read."),
    ];
    let mut page = String::from("<!doctype html><meta charset=utf-8><title>Problems</title><h1>Problems</h1><dl>\n");
    let rules = Rule::ALL.into_iter().map(|rule| (rule.as_str(), rule.meaning()));
    for (rule, meaning) in own.into_iter().chain(rules) {
        let _ = writeln!(page, "<dt id=\"{rule}\">{rule}<dd>{meaning}");
    }
    page + "</dl>\n"
}
