//! What AWS answers: STS in XML, ECR in JSON, the instance metadata service, the agents of
//! containers, all through the SDK.

use pullpass_ecr::PLUGIN;

use crate::run::Run;
use crate::{files, secrets};

const PRIVATE: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com/team/app";
const PUBLIC: &str = "public.ecr.aws/nginx/nginx";
const ROLE: &[(&str, &str)] =
    &[("eks.amazonaws.com/ecr-role-arn", "arn:aws:iam::111122223333:role/pull")];

/// The digit of a case, and the answers.
pub fn run(input: &[u8]) {
    let Some((case, answers)) = input.split_first() else { return };
    let nothing = files::write("nothing", b"");
    let nothing = nothing.to_str().unwrap_or_default();
    let files = [("AWS_CONFIG_FILE", nothing), ("AWS_SHARED_CREDENTIALS_FILE", nothing)];
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", secrets::TOKEN.as_str()),
    ];
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/node");
    let token_file = files::write("token", secrets::TOKEN.as_bytes());
    let token_file = ("AWS_WEB_IDENTITY_TOKEN_FILE", token_file.to_str().unwrap_or_default());
    let agent = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
    let agents_token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", secrets::TOKEN.as_str());
    let (image, annotations, more): (_, _, &[(&str, &str)]) = match case {
        b'0' => (PRIVATE, None, &keys),
        b'1' => (PUBLIC, None, &keys),
        b'2' => (PRIVATE, None, &[]),
        b'3' => (PRIVATE, None, &[agent, agents_token]),
        b'4' => (PRIVATE, None, &[role, token_file]),
        b'5' => (PUBLIC, Some(ROLE), &[]),
        _ => (PRIVATE, Some(ROLE), &[]),
    };
    let env = [&files, more].concat();
    Run { plugin: &PLUGIN, args: &[], env: &env, image, annotations }.check(answers);
}
