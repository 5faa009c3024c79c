//! `/oauth2/token`: a refresh token, or a user name and password, for an access token that pulls.

use axum::http::Method;
use serde_json::json;

use super::{Request, invalid};
use crate::fakes::azure::error::Refusal;
use crate::fakes::azure::front::Served;
use crate::fakes::azure::token::{Login, NULL_GUID, pull_token};
use crate::fakes::canned::Answer;
use crate::fakes::form::{self, Form};

impl Request<'_> {
    pub(super) fn pull_token(&self) -> Served {
        let (login, scopes) = match self.received.method {
            Method::GET => self.asked_by_password()?,
            Method::POST => self.asked_by_refresh_token()?,
            _ => return Err(Refusal::new(404, "NOT_FOUND", "404 page not found")),
        };
        let mut repositories = Vec::new();
        for scope in &scopes {
            if let Some(name) = self.granted(&login, scope)? {
                repositories.push(name);
            }
        }
        if repositories.is_empty() && !scopes.is_empty() {
            return Err(Refusal::unauthorized("the identity may pull none of this"));
        }
        let holder = (login.client_id.as_str(), login.tenant.as_str());
        let token = pull_token(self.azure, self.registry, holder, repositories);
        self.azure.log().update(self.id, |call| {
            call.client_id = Some(login.client_id.clone());
            call.tenant = Some(login.tenant.clone());
        });
        Ok(Answer::json(200, &json!({"access_token": token})))
    }

    /// As container runtimes ask: Basic authentication, and the rest in the URL.
    fn asked_by_password(&self) -> Result<(Login, Vec<String>), Refusal> {
        let query = self.received.query();
        self.check_service(query.value("service"))?;
        let basic = form::basic(&self.received.headers);
        let (user, password) = basic.ok_or_else(|| Refusal::unauthorized("no credentials"))?;
        let login = self.login(&user, &password);
        let login = login.ok_or_else(|| Refusal::unauthorized("the login is not known or over"))?;
        let scopes = query.values("scope").flat_map(str::split_whitespace);
        Ok((login, scopes.map(str::to_owned).collect()))
    }

    fn asked_by_refresh_token(&self) -> Result<(Login, Vec<String>), Refusal> {
        let (form, faults) = self.received.form();
        // More than one scope is in order here.
        if let Some(fault) = faults.iter().find(|fault| *fault != "`scope` is repeated") {
            return Err(invalid(fault));
        }
        match form.value("grant_type") {
            Some("refresh_token") => {}
            Some(_) => return Err(invalid("the grant type is not supported")),
            None => return Err(invalid("the grant type is missing")),
        }
        self.check_service(form.value("service"))?;
        let login = self.refresh_token(&form)?;
        let scopes: Vec<String> =
            form.values("scope").flat_map(str::split_whitespace).map(str::to_owned).collect();
        if scopes.is_empty() {
            return Err(invalid("the scope is missing"));
        }
        Ok((login, scopes))
    }

    fn refresh_token(&self, form: &Form) -> Result<Login, Refusal> {
        let token = form.value("refresh_token");
        let token = token.ok_or_else(|| invalid("`refresh_token` is missing"))?;
        let login = self.azure.login(self.registry, NULL_GUID, token);
        login
            .filter(|login| login.repositories.is_none())
            .ok_or_else(|| Refusal::unauthorized("the refresh token is not known or over"))
    }

    /// The repository of a scope, if the login may pull from it.
    fn granted(&self, login: &Login, scope: &str) -> Result<Option<String>, Refusal> {
        let [kind, name, actions] = scope.split(':').collect::<Vec<_>>()[..] else {
            return Err(invalid("the scope is not of the form TYPE:NAME:ACTIONS"));
        };
        if name.is_empty() || actions.is_empty() {
            return Err(invalid("the scope is not of the form TYPE:NAME:ACTIONS"));
        }
        let held = login.repositories.as_ref();
        let may = kind == "repository"
            && actions.split(',').any(|action| action == "pull")
            && held.is_none_or(|held| held.iter().any(|repository| repository == name))
            && self.registry.lets_pull(&login.client_id, name);
        Ok(may.then(|| name.to_owned()))
    }
}
