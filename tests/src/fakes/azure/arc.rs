//! The Connected Machine agent's token endpoint, which makes a caller read a file that only root
//! and the agent's group may (Azure Arc, "Access Azure resources with managed identity").

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::Azure;
use super::call::{Call, Service};
use super::directory::Identity;
use super::error::Refusal;
use super::front::{Served, finish};
use super::machine::{Machine, Selector, issue};
use crate::fakes::canned::Answer;
use crate::fakes::received::{Query, Received};
use crate::jwt;

const PATH: &str = "/metadata/identity/oauth2/token";
const VERSIONS: [&str; 3] = ["2019-11-01", "2020-06-01", "2021-02-01"];

/// An agent on a server outside Azure.
#[derive(Clone, Debug)]
pub struct ArcAgent {
    machine: Machine,
    /// Where it writes its key files; `/var/opt/azcmagent/tokens` on Linux.
    tokens: PathBuf,
    key_file: KeyFile,
    user_assigned: UserAssigned,
}

/// Where the challenge says that the key is.
#[derive(Clone, Debug)]
pub enum KeyFile {
    /// In a new file of the agent's folder, `<uuid>.key`.
    InOrder,
    /// In a file that is not there.
    Missing,
    /// In a file of this other folder.
    In(PathBuf),
    /// In a file of the agent's folder with another ending than `.key`.
    Ending(String),
    /// In a file in order that is this long, though nothing but spaces follows the key.
    Long(usize),
    /// This, whatever it is; no file is written.
    Realm(String),
}

/// What an agent makes of a user-assigned identity that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserAssigned {
    /// It takes it, and says so in the answer: from 1.67 on.
    Echoed,
    /// It passes it over and gives the server's own identity: before.
    Ignored,
    /// It says that it took another.
    Confused,
}

impl ArcAgent {
    /// A new agent that writes its key files to that folder, which is there.
    pub fn new(machine: Machine, tokens: &Path) -> Self {
        Self {
            machine,
            tokens: tokens.to_owned(),
            key_file: KeyFile::InOrder,
            user_assigned: UserAssigned::Echoed,
        }
    }

    /// With its keys elsewhere.
    pub fn key_file(mut self, key_file: KeyFile) -> Self {
        self.key_file = key_file;
        self
    }

    /// With another way of treating user-assigned identities.
    pub fn user_assigned(mut self, user_assigned: UserAssigned) -> Self {
        self.user_assigned = user_assigned;
        self
    }
}

struct Running {
    azure: Azure,
    agent: ArcAgent,
    /// What was written to files and not used yet.
    keys: Mutex<HashSet<String>>,
}

pub(super) fn router(azure: Azure, agent: ArcAgent) -> Router {
    let running = Running { azure, agent, keys: Mutex::default() };
    Router::new().fallback(answer).with_state(Arc::new(running))
}

async fn answer(State(running): State<Arc<Running>>, received: Received) -> Response {
    let azure = &running.azure;
    let id = azure.log().record(Call::of(Service::Arc, &received));
    let served = match azure.log().canned(Service::Arc).await {
        Some(answer) => Ok(answer),
        None => running.token(&received, id),
    };
    finish(azure, Service::Arc, id, served)
}

/// The identity that a request is about.
struct Chosen<'a> {
    identity: &'a Identity,
    /// What the answer says of it: a field.
    echo: Option<(&'static str, String)>,
}

impl Running {
    fn token(&self, received: &Received, id: usize) -> Served {
        let query = received.query();
        check(received, &query)?;
        let resource = query
            .value("resource")
            .ok_or_else(|| invalid("The resource is missing").because("no resource"))?;
        // Before the challenge, as it is there.
        let Chosen { identity, echo } = self.choose(&query)?;
        match received.text("authorization") {
            None => return Err(self.challenge("Missing Basic Authorization header")),
            Some(sent) => {
                let key = sent.strip_prefix("Basic ").unwrap_or_default();
                // Good once.
                if !self.keys.lock().unwrap().remove(key) {
                    return Err(self.challenge("Invalid Basic Authorization header"));
                }
            }
        }
        let (token, expires) = issue(&self.azure, identity, resource)
            .ok_or_else(|| invalid("The resource was not found").because("unknown resource"))?;
        self.azure.log().update(id, |call| {
            call.client_id = Some(identity.client_id.clone());
            call.tenant = Some(identity.tenant.clone());
        });
        let mut body = json!({
            "access_token": token,
            "expires_in": (expires - self.azure.now()).to_string(),
            "expires_on": expires.to_string(),
            "not_before": (self.azure.now() - 300).to_string(),
            "resource": resource,
            "token_type": "Bearer",
        });
        if let Some((name, value)) = echo {
            body[name] = json!(value);
        }
        Ok(Answer::json(200, &body))
    }

    fn choose(&self, query: &Query) -> Result<Chosen<'_>, Refusal> {
        let machine = &self.agent.machine;
        // `mi_res_id`, which other services take, is silently ignored.
        let named = ["client_id", "object_id", "msi_res_id"]
            .into_iter()
            .find_map(|name| query.value(name).map(|value| (name, value)))
            .filter(|_| self.agent.user_assigned != UserAssigned::Ignored);
        let Some((name, value)) = named else {
            let own = machine.own().ok_or_else(|| not_found("The machine has no identity"))?;
            return Ok(Chosen { identity: own, echo: None });
        };
        let selector = match name {
            "client_id" => Selector::Client(value),
            "object_id" => Selector::Object(value),
            _ => Selector::Resource(value),
        };
        let chosen = machine.choose(Some(&selector)).ok();
        // Its own identity cannot be named.
        let own = machine.own().map(|own| &own.client_id);
        let chosen = chosen.filter(|identity| Some(&identity.client_id) != own);
        let identity = chosen.ok_or_else(|| not_found("Identity not found"))?;
        let confused = self.agent.user_assigned == UserAssigned::Confused;
        let echo = if confused { jwt::random_uuid() } else { value.to_owned() };
        Ok(Chosen { identity, echo: Some((name, echo)) })
    }

    fn challenge(&self, message: &str) -> Refusal {
        let realm = self.write_key();
        Refusal::new(401, "unauthorized_client", message)
            .because("challenged")
            .with_header("www-authenticate", &format!("Basic realm={realm}"))
    }

    /// Writes a key where the agent keeps it, and returns the file's name.
    fn write_key(&self) -> String {
        let agent = &self.agent;
        let name = jwt::random_uuid();
        let in_order = agent.tokens.join(format!("{name}.key"));
        let file = match &agent.key_file {
            KeyFile::Realm(realm) => return realm.clone(),
            KeyFile::Missing => return in_order.display().to_string(),
            KeyFile::InOrder | KeyFile::Long(_) => in_order,
            KeyFile::In(folder) => folder.join(format!("{name}.key")),
            KeyFile::Ending(ending) => agent.tokens.join(format!("{name}{ending}")),
        };
        let key = jwt::random_text(48);
        let mut content = key.clone();
        if let KeyFile::Long(size) = agent.key_file {
            content = format!("{content:size$}");
        }
        fs::write(&file, content).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.azure.log().add_secret("key of the Arc agent".to_owned(), &key);
        self.keys.lock().unwrap().insert(key);
        file.display().to_string()
    }
}

fn check(received: &Received, query: &Query) -> Result<(), Refusal> {
    if received.path() != PATH || received.method != Method::GET {
        return Err(Refusal::new(404, "not_found", "Not found").because("no such page"));
    }
    if !received.text("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        let message = "Required metadata header not specified";
        return Err(invalid(message).because("no `Metadata: true`"));
    }
    if !query.value("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        return Err(invalid("The api-version is missing or not supported").because("api-version"));
    }
    Ok(())
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "invalid_request", message)
}

fn not_found(message: &str) -> Refusal {
    Refusal::new(404, "invalid_request", message).because("identity not assigned")
}
