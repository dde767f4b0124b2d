//! Call records, from the end of their file.

use super::extract::Query;
use crate::dialplan::ApiRole;
use crate::http::access::Caller;
use crate::http::app::App;
use crate::http::problem::Problem;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use utoipa::{IntoParams, ToSchema};

/// Records given by default, and at most.
const USUAL: usize = 50;
const MOST: usize = 500;
/// Octets of the file that are looked at, from its end.
const LOOKED_AT: u64 = 8 << 20;

/// A call record, as in the file of call records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub(super) struct Record(Map<String, Value>);

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// How many; 50 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// Those of this call alone.
    #[param(max_length = 64)]
    call: Option<String>,
    /// Those of calls that were in this room.
    #[param(max_length = 64)]
    room: Option<String>,
}

/// The last call records, newest first, as in the file of call records. They hold full numbers. Role: operator.
#[utoipa::path(
    get, path = "/api/v1/records", tag = "records", params(Which),
    responses((status = 200, body = Vec<Record>))
)]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Result<axum::Json<Vec<Record>>, Problem> {
    caller.must_be(ApiRole::Operator)?;
    let limit = which.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is 1 to {MOST}")));
    }
    let path = app.plan().gateway.call_records.clone();
    let wanted = move |record: &Map<String, Value>| {
        let rooms = || record.get("rooms").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let is_call = which.call.as_ref().is_none_or(|call| record.get("call").is_some_and(|name| name == call));
        let is_room = which.room.as_ref().is_none_or(|room| rooms().any(|name| name == room));
        is_call && is_room && (caller.has_all_rooms() || rooms().any(|room| caller.has_room(room)))
    };
    // A file of any length, on any disk.
    let read = tokio::task::spawn_blocking(move || last(&path, limit, wanted)).await;
    let failed = |why: String| {
        tracing::warn!("call records cannot be read for the API: {why}");
        Problem::unavailable("no-records", "the call records cannot be read")
    };
    let records = read.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
    Ok(axum::Json(records))
}

fn last(path: &Path, limit: usize, wanted: impl Fn(&Map<String, Value>) -> bool) -> io::Result<Vec<Record>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOKED_AT)))?;
    let mut text = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut text)?;
    // The first line may be cut, the last one be in the middle of being written: they are no JSON then.
    let lines = text.rsplit(|octet| *octet == b'\n');
    let records = lines.filter_map(|line| serde_json::from_slice(line).ok()).filter(wanted);
    Ok(records.take(limit).map(Record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_torn_lines_are_left_out() {
        let path = std::env::temp_dir().join(format!("partyline-records-{}", std::process::id()));
        std::fs::write(&path, "1\"}\n{\"call\":\"call-1\"}\n{\"call\":\"call-2\"}\n{\"ca").unwrap();
        let names = |limit, wanted: fn(&Map<String, Value>) -> bool| {
            let records = last(&path, limit, wanted).unwrap();
            records.iter().map(|record| record.0["call"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(10, |_| true), ["call-2", "call-1"]);
        assert_eq!(names(1, |_| true), ["call-2"]);
        assert_eq!(names(10, |record| record["call"] == "call-1"), ["call-1"]);
        std::fs::remove_file(&path).unwrap();
        assert!(last(&path, 10, |_| true).unwrap().is_empty());
    }
}
