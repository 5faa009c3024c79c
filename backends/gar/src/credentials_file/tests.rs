use serde_json::json;

use super::*;

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/edge/providers/k3s";
const EMAIL: &str = "puller@my-project.iam.gserviceaccount.com";

fn parse(value: &Value) -> Result<CredentialsFile, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    std::fs::write(&path, value.to_string()).unwrap();
    read(&path)
}

fn external() -> Value {
    json!({
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": "/var/run/token"},
    })
}

#[test]
fn a_federation_as_gcloud_writes_it() {
    let mut file = external();
    file["universe_domain"] = json!("s3nsapis.fr");
    file["service_account_impersonation_url"] = json!(format!(
        "https://iamcredentials.s3nsapis.fr/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
    ));
    file["service_account_impersonation"] = json!({"token_lifetime_seconds": 2800});
    let file = parse(&file).unwrap();
    assert_eq!(file.universe.as_deref(), Some("s3nsapis.fr"));
    let external = file.external.unwrap();
    assert_eq!(external.pool.audience(), AUDIENCE);
    assert_eq!(external.token_url.as_str(), "https://sts.googleapis.com/v1/token");
    let impersonation = external.impersonation.unwrap();
    assert_eq!(impersonation.api.as_str(), "https://iamcredentials.s3nsapis.fr/");
    assert_eq!(impersonation.email, EMAIL);
    assert_eq!(impersonation.lifetime, Some(Duration::from_secs(2800)));
}

#[test]
fn what_is_wrong_is_said_and_no_value_repeated() {
    let with = |name: &str, value: Value| {
        let mut file = external();
        file[name] = value;
        file
    };
    let url = "service_account_impersonation_url";
    for (file, why) in [
        (with("type", json!("authorized_user")), "a user's login"),
        (with("type", json!("gdch_service_account")), "`type` is not supported"),
        (with("type", json!(null)), "no `type`"),
        (with("type", json!(5)), "wrong type"),
        (with("audience", json!(null)), "no `audience`"),
        (with("audience", json!("secret-in-the-wrong-place")), "not a provider"),
        (with("credential_source", json!({"environment_id": "aws1"})), "is an AWS identity"),
        (with("credential_source", json!({"url": "https://x.example"})), "is a server (`url`)"),
        (with("credential_source", json!({"executable": {}})), "is a program (`executable`)"),
        (with("credential_source", json!({"certificate": {}})), "is a `certificate`"),
        (
            with("subject_token_type", json!("urn:ietf:params:aws:token-type:aws4_request")),
            "`subject_token_type`",
        ),
        (
            with("subject_token_type", json!("urn:ietf:params:oauth:token-type:saml2")),
            "`subject_token_type`",
        ),
        (with("token_url", json!("http://sts.googleapis.com/v1/token")), "not an `https://` URL"),
        (with("token_url", json!("https://a:b@sts.googleapis.com/")), "not an `https://` URL"),
        (with("token_url", json!(null)), "no `token_url`"),
        (with(url, json!("https://evil.example/")), "not a URL of the IAM"),
        (
            with(
                url,
                json!(
                    "https://x/v1/projects/-/serviceAccounts/a%2Fb@p.iam.gserviceaccount.com:generateAccessToken"
                ),
            ),
            "not a URL of the IAM",
        ),
        (
            with("service_account_impersonation", json!({"token_lifetime_seconds": "soon"})),
            "not a number of seconds",
        ),
        (json!({"type": "service_account"}), "no `private_key`"),
        (json!({"type": "service_account", "private_key": "k"}), "no `client_email`"),
        (
            json!({"type": "service_account", "private_key": "k", "client_email": EMAIL,
                   "token_uri": "http://oauth2.googleapis.com/token"}),
            "`token_uri`",
        ),
        (json!([]), "wrong type"),
    ] {
        let error = parse(&file).err().unwrap().render();
        assert!(error.contains(why), "{file}: {error}");
        assert!(!error.contains("secret-in"), "{error}");
    }
}

#[test]
fn a_key_without_a_token_uri_has_googles() {
    let file = json!({"type": "service_account", "private_key": "k", "client_email": EMAIL});
    let key = parse(&file).unwrap().key.unwrap();
    assert_eq!(key.token_url.as_str(), TOKEN_URL);
}

#[test]
fn addresses_of_service_accounts() {
    for email in
        [EMAIL, "12-compute@developer.gserviceaccount.com", "a@p.x.com.iam.gserviceaccount.com"]
    {
        assert!(is_email(email), "{email}");
    }
    for email in [
        "",
        "puller",
        "a@evilgserviceaccount.com",
        "a@evil.example",
        "a/b@p.iam.gserviceaccount.com",
        "a@b@p.iam.gserviceaccount.com",
    ] {
        assert!(!is_email(email), "{email}");
    }
}
