//! Service-Route (RFC 3608): the way that a registrar wants our requests to its network to take.

use super::message::{HeaderName, NameAddr, Response};

/// Routes taken from a registrar.
const MAX_ROUTES: usize = 8;
/// Bytes of one of them: what is taken stands in every request of ours.
const MAX_LENGTH: usize = 512;

/// The routes of a response, and how many of its values are none: not to be read, no loose router's (`lr`, which the
/// RFC demands), too long, or too many.
pub(super) fn read(response: &Response) -> (Vec<NameAddr>, usize) {
    let mut routes = Vec::new();
    let mut ignored = 0;
    for value in response.headers.values(&HeaderName::ServiceRoute) {
        let route = NameAddr::parse(&value).ok().filter(|_| value.len() <= MAX_LENGTH && routes.len() < MAX_ROUTES);
        match route.filter(|route| route.uri.is_sip() && route.uri.is_loose_router()) {
            Some(route) => routes.push(route),
            None => ignored += 1,
        }
    }
    (routes, ignored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::{Method, Request, StatusCode};

    fn read_lines(lines: &[&str]) -> (Vec<String>, usize) {
        let request = Request::new(Method::Register, "sip:registrar.example".parse().unwrap());
        let mut response = Response::to_request(&request, StatusCode::OK);
        for line in lines {
            response.headers.push(HeaderName::ServiceRoute, (*line).to_owned());
        }
        let (routes, ignored) = read(&response);
        (routes.iter().map(ToString::to_string).collect(), ignored)
    }

    #[test]
    fn routes_keep_their_order_over_values_and_lines() {
        let (routes, ignored) =
            read_lines(&["<sip:p2.example;lr>, <sip:orig@hsp.example:5070;lr>", "<sips:p3.example;lr>"]);
        assert_eq!(routes, ["<sip:p2.example;lr>", "<sip:orig@hsp.example:5070;lr>", "<sips:p3.example;lr>"]);
        assert_eq!(ignored, 0);
        assert_eq!(read_lines(&[]), (Vec::new(), 0));
    }

    #[test]
    fn what_is_no_loose_routers_address_is_ignored() {
        let (routes, ignored) =
            read_lines(&["<sip:strict.example>, <sip:good.example;lr>", "tel:+44;lr", "<", "<sip:;lr>"]);
        assert_eq!((routes, ignored), (vec!["<sip:good.example;lr>".to_owned()], 4));
    }

    #[test]
    fn neither_many_nor_long_ones_are_taken() {
        let many = vec!["<sip:a.example;lr>"; 50].join(",");
        let (routes, ignored) = read_lines(&[&many]);
        assert_eq!((routes.len(), ignored), (MAX_ROUTES, 50 - MAX_ROUTES));
        let long = format!("<sip:{}@a.example;lr>", "x".repeat(MAX_LENGTH));
        assert_eq!(read_lines(&[&long]), (Vec::new(), 1));
    }
}
