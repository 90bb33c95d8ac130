//! What pages are drawn with: one style sheet, one script, a few drawings, all in the program.

use axum::http::header;
use axum::response::IntoResponse;

use super::{Door, Pages};

const CACHED: &str = "public, max-age=300";

macro_rules! asset {
    ($file:literal, $kind:literal) => {
        async || {
            let headers = [(header::CONTENT_TYPE, $kind), (header::CACHE_CONTROL, CACHED)];
            (headers, include_str!(concat!("../../assets/", $file))).into_response()
        }
    };
}

pub(super) fn pages(pages: Pages) -> Pages {
    pages
        .get("/assets/look.css", Door::Open, asset!("look.css", "text/css; charset=utf-8"))
        .get("/assets/live.js", Door::Open, asset!("live.js", "text/javascript; charset=utf-8"))
        .get("/assets/icons.svg", Door::Open, asset!("icons.svg", "image/svg+xml"))
        .get("/assets/icon.svg", Door::Open, asset!("icon.svg", "image/svg+xml"))
}
