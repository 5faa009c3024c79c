//! The file of `--credentials`: with a wrong one no server is asked, and no word of it is repeated.

use pullpass_tests::fakes::google::ServiceAccountKey;
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::jwt::SigningKey;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{Cloud, IMAGE, NODE, PULLER};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(keys_that_are_none),
        Trial::of(external_accounts_that_are_none),
        Trial::of(files_that_cannot_be_read),
        Trial::of(keys_that_google_does_not_take),
    ]
}

const PRIVATE: &str =
    "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG9w0BAQEFAASC-hunter2-of-the-operator";

fn keys_that_are_none(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let key = cloud.google.add_key(ServiceAccountKey::generate(NODE));
    let with = |name: &str, value: Value| {
        let mut content = key.json();
        content[name] = value;
        content.to_string()
    };
    let no_file = "key.json` is not a usable credential file: ";
    let cannot_sign = format!("cannot sign with the key of `{NODE}`");
    let before = world.attempts();
    for (text, says) in [
        (String::new(), format!("{no_file}not valid JSON at line 1")),
        ("hunter2-of-the-operator".to_owned(), format!("{no_file}not valid JSON at line 1")),
        (PRIVATE.to_owned(), format!("{no_file}not valid JSON at line 1")),
        (
            "{\"type\": \"service_account\",\n".to_owned(),
            format!("{no_file}not valid JSON at line"),
        ),
        ("[]".to_owned(), format!("{no_file}a field has the wrong type")),
        ("\"service_account\"".to_owned(), format!("{no_file}a field has the wrong type")),
        ("{}".to_owned(), format!("{no_file}it has no `type`")),
        (with("type", json!("authorized_user")), format!("{no_file}it is a user's login")),
        (with("type", json!("impersonated_service_account")), "use `--service-account`".to_owned()),
        (with("type", json!("gdch_service_account")), "its `type` is not supported".to_owned()),
        (with("type", json!("hunter2-of-the-operator")), "its `type` is not supported".to_owned()),
        (with("private_key", Value::Null), format!("{no_file}it has no `private_key`")),
        (with("private_key", json!(5)), format!("{no_file}a field has the wrong type")),
        (with("private_key", json!(PRIVATE)), cannot_sign.clone()),
        (with("private_key", json!("")), cannot_sign),
        (with("client_email", Value::Null), format!("{no_file}it has no `client_email`")),
        (with("client_email", json!("")), format!("{no_file}it has no `client_email`")),
        (
            with("token_uri", json!("http://oauth2.googleapis.com/token")),
            "`token_uri` is not an `https://` URL".to_owned(),
        ),
        (
            with(
                "token_uri",
                json!("https://u:hunter2-of-the-operator@oauth2.googleapis.com/token"),
            ),
            "`token_uri` is not an `https://` URL".to_owned(),
        ),
        (
            with("universe_domain", json!("a b")),
            "the universe domain is not a domain name".to_owned(),
        ),
    ] {
        let plugin = cloud.plugin().arg("--credentials").arg(cloud.file("key.json", &text));
        let plugin = plugin
            .secret("word", "hunter2-of-the-operator")
            .secret("key's beginning", "MIIEvgIBADANBgkqhkiG9w0B");
        // The metadata server's account is never used instead.
        cloud.fails(plugin.arg("--without-token=node"), &request(IMAGE), 2, &[&says]);
    }
    assert_eq!(world.attempts(), before);
}

fn external_accounts_that_are_none(world: &World) {
    let cloud = Cloud::new(world);
    let with = |name: &str, value: Value| {
        let mut content = cloud.provider.external_account_as(PULLER);
        content[name] = value;
        content.to_string()
    };
    let url = "service_account_impersonation_url";
    let name = cloud.provider.name();
    let before = world.attempts();
    for (text, says) in [
        (with("audience", Value::Null), "it has no `audience`"),
        (with("audience", json!("")), "its `audience` is not a provider"),
        (
            with("audience", json!(format!("//evil.example/{name}"))),
            "its `audience` is not a provider of a workload identity pool",
        ),
        (
            with("audience", json!(format!("//iam.googleapis.com/{name}").replace("12345", "x"))),
            "its `audience` is not a provider",
        ),
        (
            with(
                "audience",
                json!("//iam.googleapis.com/locations/global/workforcePools/a/providers/b"),
            ),
            "its `audience` is not a provider",
        ),
        (
            with("audience", json!("identitynamespace:my-project.svc.id.goog")),
            "its `audience` is not a provider",
        ),
        (with("token_url", Value::Null), "it has no `token_url`"),
        (
            with("token_url", json!("http://sts.googleapis.com/v1/token")),
            "`token_url` is not an `https",
        ),
        (
            with(url, json!("https://evil.example/")),
            "_impersonation_url` is not a URL of the IAM Service Account Credentials API",
        ),
        (
            with(
                url,
                json!(format!(
                    "http://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{PULLER}\
                     :generateAccessToken"
                )),
            ),
            "_impersonation_url` is not a URL of the IAM Service Account Credentials API",
        ),
        (
            with("service_account_impersonation", json!({"token_lifetime_seconds": 0})),
            "`token_lifetime_seconds` is not a number of seconds",
        ),
        (
            with("service_account_impersonation", json!({"token_lifetime_seconds": "soon"})),
            "`token_lifetime_seconds` is not a number of seconds",
        ),
        (with("service_account_impersonation", json!(5)), "a field has the wrong type"),
    ] {
        let file = cloud.file("external.json", text);
        for plugin in [
            cloud.plugin().arg("--credentials").arg(&file),
            cloud.plugin().env("GOOGLE_APPLICATION_CREDENTIALS", &file),
        ] {
            let says =
                ["external.json` is not a usable credential file: ", says, "create-cred-config"];
            cloud.fails(plugin, &cloud.pod_request(&[]), 2, &says);
        }
    }
    assert_eq!(world.attempts(), before);
}

fn files_that_cannot_be_read(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let large = cloud.file("large.json", " ".repeat(20_000_000));
    for path in ["/nowhere/key.json", "/etc", "/dev/zero", large.to_str().unwrap()] {
        for plugin in [
            cloud.plugin().arg("--credentials").arg(path),
            cloud.plugin().env("GOOGLE_APPLICATION_CREDENTIALS", path),
        ] {
            let says = [path, "`--credentials` (or `GOOGLE_APPLICATION_CREDENTIALS`)"];
            let run = cloud.fails(plugin, &request(IMAGE), 2, &says);
            assert!(run.duration.as_secs() < 5, "{:?}", run.duration);
        }
    }
    assert_eq!(world.attempts(), before);
}

/// The endpoint's own refusals, by what it verifies.
fn keys_that_google_does_not_take(world: &World) {
    let cloud = Cloud::new(world);
    let key = cloud.google.add_key(ServiceAccountKey::generate(NODE));
    let stranger = ServiceAccountKey::generate(NODE);
    let run = |content: &Value| {
        let plugin = cloud.plugin().arg("--credentials");
        cloud.run(plugin.arg(cloud.file("key.json", content.to_string())), &request(IMAGE))
    };
    let mut other_id = key.json();
    other_id["private_key_id"] = json!(stranger.id);
    let mut other_account = key.json();
    other_account["client_email"] = json!(PULLER);
    // A valid key of a kind that accounts do not have.
    let mut elliptic = key.json();
    elliptic["private_key"] = json!(SigningKey::generate().certificate_key().serialize_pem());
    checks::fails(&run(&elliptic), 2, &["the key is not an RSA key"]);
    for (content, says) in [
        (stranger.json(), "the key does not belong to `node@contoso"),
        (other_id, "Invalid JWT Signature."),
        (other_account, "the service account `puller@contoso.iam.gserviceaccount.com` does not"),
    ] {
        checks::fails(&run(&content), 3, &["HTTP 400 invalid_grant", says]);
    }
    assert_eq!(run(&key.json()).code, Some(0));
    // Two hours slow, and fast.
    for seconds in [7200, -7200] {
        cloud.google.set_clock_offset(seconds);
        let says = ["HTTP 400 invalid_grant", "in a reasonable timeframe", "this node's clock"];
        checks::fails(&run(&key.json()), 2, &says);
    }
}
