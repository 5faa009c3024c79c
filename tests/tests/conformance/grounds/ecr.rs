//! Amazon ECR: the pod's role by STS, then ECR.

use pullpass_tests::fakes::aws::{Aws, Canned, Expires, PULL, Role, Service, Token, TokenAnswer};
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::world::World;
use serde_json::Value;

use super::{ELSEWHERE, ISSUER};
use crate::ground::{FileInput, Ground, Reply, TokenService};

const PLUGIN: &str = "ecr-credential-provider";
const ACCOUNT: &str = "111122223333";
const REGISTRY: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com";
const AUDIENCE: &str = "sts.amazonaws.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/pull";

struct Cloud {
    aws: Aws,
    _servers: Vec<Server>,
}

pub(super) fn ground(world: &World) -> Ground<'_> {
    let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
    let aws = Aws::new();
    aws.add_issuer(ACCOUNT, issuer.url(), &[AUDIENCE], world.client());
    let role = Role::new(ROLE).allow(&PULL);
    aws.add_role(role.trust_issuer(issuer.url(), AUDIENCE, &["system:serviceaccount:demo:web"]));
    let endpoints = aws.endpoints("us-west-2").into_iter();
    let servers = endpoints.map(|at| world.https(&at.host(), aws.router())).collect();
    let named_by = |name: &'static str| {
        let plugin = world.plugin(PLUGIN);
        let plugin = move |file: &std::path::Path| plugin.clone().env(name, file);
        FileInput { name, plugin: Box::new(plugin), request: request(REGISTRY) }
    };
    let files = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(named_by);
    Ground {
        world,
        plugin: world.plugin(PLUGIN),
        registry: REGISTRY,
        audience: AUDIENCE.to_owned(),
        annotations: vec![("eks.amazonaws.com/ecr-role-arn", ROLE.to_owned())],
        issuer,
        service: Box::new(Cloud { aws, _servers: servers }),
        files: files.into(),
        // It has a login, or an error.
        without_credentials: Vec::new(),
    }
}

impl TokenService for Cloud {
    fn run(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        Fake::run(&self.aws, plugin, request)
    }

    fn answer(&self, reply: Reply) {
        let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        self.aws.always(
            Service::Sts,
            Some(match reply {
                Reply::Refused => Canned::error(Service::Sts, 403, "AccessDenied", message),
                Reply::Page => Canned::answer(200, "text/html", "<!doctype html><p>Sign in"),
                Reply::Redirect => Canned::redirect(ELSEWHERE),
                Reply::Unavailable => Canned::unavailable(),
                Reply::Late(delay) => Canned::late(delay),
            }),
        );
    }

    fn set_lifetime(&self, seconds: i64) {
        let answer = TokenAnswer { token: Token::Login, expires: Expires::In(seconds as f64) };
        self.aws.set_token_answer(Service::Ecr, answer);
    }

    fn end_of(&self, (_, _, password): &(String, String, String)) -> f64 {
        let logins = self.aws.logins().into_iter();
        let login = logins.rev().find(|login| login.password == *password);
        login.expect("a login of this AWS").expires
    }
}
