//! The doors under real names: whose a request is by its `Host` header, and how every service ends
//! a call.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::call::{Call, Service};
use super::error::Refusal;
use super::{Google, iam, oauth, sts};
use crate::fakes::canned::Answer;
use crate::fakes::received::Received;

/// A service's own answer.
pub(super) type Served = Result<Answer, Refusal>;

/// The service under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// STS of a universe.
    Sts(String),
    /// IAM credentials of a universe.
    IamCredentials(String),
    /// The token endpoint for keys.
    OAuth,
}

struct Front {
    google: Google,
    /// What is here whatever the `Host`, where names cannot be had.
    fixed: Option<Place>,
}

pub(super) fn router(google: Google, fixed: Option<Place>) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Front { google, fixed }))
}

async fn answer(State(front): State<Arc<Front>>, received: Received) -> Response {
    let google = &front.google;
    let place = front.fixed.clone().or_else(|| google.place_at(received.host()));
    let Some(place) = place else {
        // A real one would not even resolve.
        google.log().stray(received.host());
        return (StatusCode::MISDIRECTED_REQUEST, "nobody is here").into_response();
    };
    let service = match place {
        Place::Sts(_) => Service::Sts,
        Place::IamCredentials(_) => Service::IamCredentials,
        Place::OAuth => Service::OAuth,
    };
    let id = google.log().record(Call::of(service, &received));
    let served = match google.log().canned(service).await {
        Some(answer) => Ok(answer),
        None => match &place {
            Place::Sts(universe) => sts::exchange(google, universe, &received, id).await,
            Place::IamCredentials(universe) => iam::answer(google, universe, &received, id),
            Place::OAuth => oauth::answer(google, &received, id),
        },
    };
    let own = vec![("server", "ESF".to_owned()), ("cache-control", "private".to_owned())];
    finish(google, service, id, served, own)
}

/// Remembers how a call ended, and dresses the answer in what the service sends with everything.
pub(super) fn finish(
    google: &Google,
    service: Service,
    id: usize,
    served: Served,
    own: Vec<(&str, String)>,
) -> Response {
    let answer = served.unwrap_or_else(|refusal| {
        google.log().update(id, |call| call.error = Some(refusal.reason()));
        refusal.render(service)
    });
    google.log().update(id, |call| call.status = Some(answer.status));
    answer.dressed(google.now(), own)
}
